"""Every error that daftray raises on purpose, and the code that survives from here to HTTP to SDK.

    DaftrayError
    ├── InvalidInputError               invalid-input: the caller can mend the request
    │   ├── SourceError                 source-not-found · source-denied · source-refused · source-too-large ·
    │   │                               source-unavailable
    │   ├── DependenciesInvalidError    dependencies-invalid
    │   └── PythonVersionError          python-version-unavailable
    ├── NotFoundError                   run- · project- · result- · problem- · file- · log- ·
    │   │                               secret- · prices-not-found · workspace- · user- · member- · key- ·
    │   │                               device- · data-source- · catalog- · task- · integration-not-found
    │   ├── LogRemovedError             log-removed: it was there, and retention let it go
    │   └── ResultRemovedError          result-removed
    ├── ConflictError                   conflict
    │   ├── NameTakenError              name-taken
    │   └── IdempotencyConflictError    idempotency-key-reused
    ├── AccessError
    │   ├── UnauthenticatedError        unauthenticated
    │   ├── ForbiddenError              forbidden
    │   └── TooManyRequestsError        too-many-requests
    ├── IdentityProviderError           identity-provider-refused: the OpenID provider is set up otherwise
    │   └── IdentityProviderUnreachableError  identity-provider-unreachable
    ├── ClusterError                    what the Ray cluster answered, or did not
    │   ├── ClusterUnreachableError     cluster-unreachable
    │   ├── JobNotFoundError            job-not-found
    │   ├── JobExistsError              job-exists
    │   └── ClusterRefusedError         cluster-refused
    ├── BlobNotFoundError               blob-not-found
    ├── SecretUnreadableError           secret-unreadable: sealed under another master key
    ├── StoreUnavailableError           store-unavailable: the database or the blob store is not to be had now
    └── StaleClaimError                 stale-claim: another reconciler owns the run now

A message says what is wrong and what to do about it. It never holds a secret. Which HTTP status a code
has is the API's business (``api/problems.py``); how it comes back to a class is the client's.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class InputIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request: where (``source.git.ref``) and what."""

    path: str
    message: str


class DaftrayError(Exception):
    """Something went wrong in daftray."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or (type(self).__doc__ or "").split("\n", 1)[0])

    @property
    def detail(self) -> str:
        """The sentence for a person."""
        return str(self.args[0])


class InvalidInputError(DaftrayError):
    """The request is not valid."""

    code = "invalid-input"

    def __init__(self, detail: str | None = None, *, issues: tuple[InputIssue, ...] = ()) -> None:
        super().__init__(detail)
        self.issues = issues


class SourceError(InvalidInputError):
    """The source of the run cannot be used."""

    code = "source-refused"


class SourceNotFoundError(SourceError):
    """The Git remote, or the commit, branch or tag in it, does not exist."""

    code = "source-not-found"


class SourceDeniedError(SourceError):
    """The Git remote refuses access."""

    code = "source-denied"


class SourceRefusedError(SourceError):
    """daftray does not use this kind of source."""

    code = "source-refused"


class SourceTooLargeError(SourceError):
    """The source is larger than a run's package may be."""

    code = "source-too-large"


class SourceUnavailableError(SourceError):
    """The Git remote cannot be reached right now."""

    code = "source-unavailable"
    retryable = True


class DependenciesInvalidError(InvalidInputError):
    """A dependency is not a valid PEP 508 requirement."""

    code = "dependencies-invalid"


class PythonVersionError(InvalidInputError):
    """No cluster has the Python version that the run asks for."""

    code = "python-version-unavailable"


class NotFoundError(DaftrayError):
    """There is no such thing here."""

    code = "not-found"


class WorkspaceNotFoundError(NotFoundError):
    """There is no such workspace."""

    code = "workspace-not-found"


class RunNotFoundError(NotFoundError):
    """There is no such run in this project."""

    code = "run-not-found"


class ProjectNotFoundError(NotFoundError):
    """There is no such project in this workspace."""

    code = "project-not-found"


class ResultNotFoundError(NotFoundError):
    """The run has no result."""

    code = "result-not-found"


class ProblemNotFoundError(NotFoundError):
    """The run has no such problem."""

    code = "problem-not-found"


class FileNotInSourceError(NotFoundError):
    """The run's commit has no such file."""

    code = "file-not-found"


class LogNotFoundError(NotFoundError):
    """The run has no log yet."""

    code = "log-not-found"


class LogRemovedError(NotFoundError):
    """The log was removed, since it was older or took more room than the server keeps."""

    code = "log-removed"


class ResultRemovedError(NotFoundError):
    """The result was removed, since it was older or took more room than the server keeps."""

    code = "result-removed"


class SecretNotFoundError(NotFoundError):
    """There is no secret of that name in this project."""

    code = "secret-not-found"


class PricesNotFoundError(NotFoundError):
    """The project has no prices, or no such version of them."""

    code = "prices-not-found"


class UserNotFoundError(NotFoundError):
    """There is no such user."""

    code = "user-not-found"


class MemberNotFoundError(NotFoundError):
    """The user has no role there."""

    code = "member-not-found"


class KeyNotFoundError(NotFoundError):
    """There is no such API key."""

    code = "key-not-found"


class DeviceNotFoundError(NotFoundError):
    """No device waits for this code: it has expired, was answered before, or is mistyped."""

    code = "device-not-found"


class DataSourceNotFoundError(NotFoundError):
    """There is no such data source in this project."""

    code = "data-source-not-found"


class CatalogNotFoundError(NotFoundError):
    """There is no such catalog in this project."""

    code = "catalog-not-found"


class TaskNotFoundError(NotFoundError):
    """There is no such task in this project."""

    code = "task-not-found"


class IntegrationNotFoundError(NotFoundError):
    """There is no such integration in this workspace."""

    code = "integration-not-found"


class ConflictError(DaftrayError):
    """The request contradicts what is there."""

    code = "conflict"


class NameTakenError(ConflictError):
    """The name is already taken."""

    code = "name-taken"


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used for another request before: choose a new one."""

    code = "idempotency-key-reused"


class AccessError(DaftrayError):
    """Access is refused."""

    code = "forbidden"


class UnauthenticatedError(AccessError):
    """The credentials are missing, wrong or expired."""

    code = "unauthenticated"


class ForbiddenError(AccessError):
    """The credentials do not allow this."""

    code = "forbidden"


class TooManyRequestsError(AccessError):
    """Too many tries: wait a while."""

    code = "too-many-requests"
    retryable = True

    def __init__(self, detail: str | None = None, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class IdentityProviderError(DaftrayError):
    """The OpenID provider does not do what it should for this server."""

    code = "identity-provider-refused"


class IdentityProviderUnreachableError(IdentityProviderError):
    """The OpenID provider does not answer."""

    code = "identity-provider-unreachable"
    retryable = True


class ClusterError(DaftrayError):
    """The Ray cluster did not do what was asked."""

    code = "cluster-refused"


class ClusterUnreachableError(ClusterError):
    """The Ray cluster does not answer."""

    code = "cluster-unreachable"
    retryable = True


class ClusterRefusedError(ClusterError):
    """The Ray cluster refused the request."""

    code = "cluster-refused"


class JobNotFoundError(ClusterError):
    """The Ray cluster knows no such job."""

    code = "job-not-found"


class JobExistsError(ClusterError):
    """The Ray cluster already has a job of this submission id."""

    code = "job-exists"


class BlobNotFoundError(DaftrayError):
    """The blob store has no such key."""

    code = "blob-not-found"


class SecretUnreadableError(DaftrayError):
    """The secret cannot be opened with this server's master key."""

    code = "secret-unreadable"


class StoreUnavailableError(DaftrayError):
    """The store does not answer, or is too busy: try again."""

    code = "store-unavailable"
    retryable = True


class StaleClaimError(DaftrayError):
    """Another reconciler owns the run now, or the run was changed meanwhile: read it again."""

    code = "stale-claim"
