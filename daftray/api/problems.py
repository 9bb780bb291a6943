"""Errors on the wire: RFC 9457 problem details, with the codes of ``domain/errors.py`` as their types.

`STATUS_OF` is the only place that knows an HTTP status for a code. ``client/errors.py`` is the way back;
a test holds both against every class.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException

from daftray.api.auth import AnyRequest
from daftray.api.headers import SAFE_HEADERS
from daftray.domain.errors import DaftrayError, InputIssue, InvalidInputError, TooManyRequestsError

log = logging.getLogger(__name__)

_RAY = "/v1/ingest/ray/"

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[str, HTTPStatus] = {
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "invalid-input": HTTPStatus.BAD_REQUEST,
    "source-not-found": HTTPStatus.BAD_REQUEST,
    "source-denied": HTTPStatus.BAD_REQUEST,
    "source-refused": HTTPStatus.BAD_REQUEST,
    "source-too-large": HTTPStatus.BAD_REQUEST,
    "source-unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "dependencies-invalid": HTTPStatus.BAD_REQUEST,
    "python-version-unavailable": HTTPStatus.BAD_REQUEST,
    "not-found": HTTPStatus.NOT_FOUND,
    "workspace-not-found": HTTPStatus.NOT_FOUND,
    "run-not-found": HTTPStatus.NOT_FOUND,
    "project-not-found": HTTPStatus.NOT_FOUND,
    "result-not-found": HTTPStatus.NOT_FOUND,
    "problem-not-found": HTTPStatus.NOT_FOUND,
    "file-not-found": HTTPStatus.NOT_FOUND,
    "log-not-found": HTTPStatus.NOT_FOUND,
    "log-removed": HTTPStatus.GONE,
    "result-removed": HTTPStatus.GONE,
    "secret-not-found": HTTPStatus.NOT_FOUND,
    "prices-not-found": HTTPStatus.NOT_FOUND,
    "user-not-found": HTTPStatus.NOT_FOUND,
    "member-not-found": HTTPStatus.NOT_FOUND,
    "key-not-found": HTTPStatus.NOT_FOUND,
    "device-not-found": HTTPStatus.NOT_FOUND,
    "data-source-not-found": HTTPStatus.NOT_FOUND,
    "catalog-not-found": HTTPStatus.NOT_FOUND,
    "task-not-found": HTTPStatus.NOT_FOUND,
    "integration-not-found": HTTPStatus.NOT_FOUND,
    "blob-not-found": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "name-taken": HTTPStatus.CONFLICT,
    "idempotency-key-reused": HTTPStatus.CONFLICT,
    "stale-claim": HTTPStatus.CONFLICT,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "too-many-requests": HTTPStatus.TOO_MANY_REQUESTS,
    "identity-provider-refused": HTTPStatus.BAD_GATEWAY,
    "identity-provider-unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
    "cluster-unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
    "cluster-refused": HTTPStatus.BAD_GATEWAY,
    "job-not-found": HTTPStatus.NOT_FOUND,
    "job-exists": HTTPStatus.CONFLICT,
    "secret-unreadable": HTTPStatus.INTERNAL_SERVER_ERROR,
    "store-unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}

_CODE_OF_STATUS = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
}


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every error answer (RFC 9457). ``errors`` says what is wrong where in the input."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[InputIssue, ...] = ()


class _Part(msgspec.Struct):
    """One finding of Litestar's about a request."""

    message: str
    key: str = ""


def on_daftray_error(_: AnyRequest, error: DaftrayError) -> Response[ProblemDetails]:
    """Answer an error that daftray raised on purpose."""
    issues = error.issues if isinstance(error, InvalidInputError) else ()
    status = STATUS_OF[error.code]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed: %s", error.detail, extra={"action": "request", "code": error.code})
    answer = _answer(error.code, status, error.detail, issues)
    if isinstance(error, TooManyRequestsError):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def on_validation_error(_: AnyRequest, error: ValidationException) -> Response[ProblemDetails]:
    """Answer a request whose body or parameters are not of their type."""
    try:
        parts = msgspec.convert(error.extra, list[_Part])
    except msgspec.ValidationError:
        parts = []
    issues = tuple(_issue(part) for part in parts)
    return _answer(
        InvalidInputError.code, HTTPStatus.BAD_REQUEST, "The request does not have the right form.", issues
    )


def _issue(part: _Part) -> InputIssue:
    """Return a finding in our words; of a missing body Litestar says no more than its argument's name."""
    if part.key == "data":  # the whole body is meant, and where there is one, it lacks something
        there = part.message.startswith("Object ")
        return InputIssue(path="", message=part.message if there else "send a JSON body")
    return InputIssue(path=part.key, message=part.message)


def on_http_error(_: AnyRequest, error: HTTPException) -> Response[ProblemDetails]:
    """Answer what the framework refused: an unknown path, a wrong method, a body that is no JSON."""
    status = HTTPStatus(error.status_code)
    code = _CODE_OF_STATUS.get(status, InvalidInputError.code)
    return _answer(code, status, error.detail or status.phrase)


def on_too_deep(_: AnyRequest, __: RecursionError) -> Response[ProblemDetails]:
    """Answer a body that is nested too deeply to be read: whoever sent it made that, and no log need tell."""
    return _answer(InvalidInputError.code, HTTPStatus.BAD_REQUEST, "The body is nested too deeply.")


def on_unexpected_error(request: AnyRequest, error: Exception) -> Response[ProblemDetails]:
    """Answer a defect of ours: the log has the trace, the caller does not."""
    log.error("unexpected error", exc_info=error, extra={"action": "request", "path": _path(request)})
    detail = "Something went wrong inside daftray. The server's log has more."
    return _answer(DaftrayError.code, HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def _path(request: AnyRequest) -> str:
    """Return the path for the log. That of Ray's events holds a secret."""
    return _RAY if request.url.path.startswith(_RAY) else request.url.path


def _answer(
    code: str, status: HTTPStatus, detail: str, issues: tuple[InputIssue, ...] = ()
) -> Response[ProblemDetails]:
    # The application's own headers reach only what a handler answers, and this comes from none.
    headers = dict(SAFE_HEADERS)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = ProblemDetails(type=code, title=status.phrase, status=status, detail=detail, errors=issues)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)
