"""Errors on the client's side: what the server answered, as the class it was there, and what it never said.

DaftrayError
├── everything in daftray/domain/errors.py   by the code in the server's problem document (RFC 9457)
├── ServerUnreachableError                   server-unreachable
├── AnswerNotUnderstoodError                 answer-not-understood
├── NotConfiguredError                       not-configured
├── SignInRefusedError                       sign-in-refused
├── SignInExpiredError                       sign-in-expired
└── RunWaitTimeoutError                      wait-timeout
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import msgspec

from daftray.domain.errors import (
    ConflictError,
    DaftrayError,
    ForbiddenError,
    InputIssue,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)


class ServerUnreachableError(DaftrayError):
    """The daftray server does not answer."""

    code = "server-unreachable"
    retryable = True


class AnswerNotUnderstoodError(DaftrayError):
    """The server's answer is not what this version of the client expects."""

    code = "answer-not-understood"


class NotConfiguredError(DaftrayError):
    """The client does not know which server or project is meant."""

    code = "not-configured"


class SignInRefusedError(DaftrayError):
    """Whoever was asked to let this program sign in said no, or the server did."""

    code = "sign-in-refused"


class SignInExpiredError(DaftrayError, TimeoutError):
    """Nobody has let this program sign in while its code was good."""

    code = "sign-in-expired"


class RunWaitTimeoutError(DaftrayError, TimeoutError):
    """The run has not ended in the time that the caller gave it; it goes on."""

    code = "wait-timeout"


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an error answer (RFC 9457); ``errors`` is daftray's, one for each wrong input."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    errors: list[InputIssue] = msgspec.field(default_factory=list[InputIssue])


def _kinds(parent: type[DaftrayError]) -> Iterator[type[DaftrayError]]:
    """Yield a class of the domain and those below it, parents first."""
    yield parent
    for child in parent.__subclasses__():
        if child.__module__ == DaftrayError.__module__:
            yield from _kinds(child)


BY_CODE: dict[str, type[DaftrayError]] = {kind.code: kind for kind in _kinds(DaftrayError)}
"""The class of each code that a server can answer: the most specific one where a parent shares its code."""

_BY_STATUS: dict[int, type[DaftrayError]] = {
    HTTPStatus.BAD_REQUEST: InvalidInputError,
    HTTPStatus.UNAUTHORIZED: UnauthenticatedError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.GONE: NotFoundError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: InvalidInputError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidInputError,
    HTTPStatus.BAD_GATEWAY: ServerUnreachableError,
    HTTPStatus.SERVICE_UNAVAILABLE: ServerUnreachableError,
    HTTPStatus.GATEWAY_TIMEOUT: ServerUnreachableError,
}


def error_from(status: int, body: bytes) -> DaftrayError:
    """Return the error that an answer of that HTTP status and body stands for.

    A code that this version does not know keeps its text, in a class that the HTTP status decides.
    """
    try:
        problem = msgspec.json.decode(body, type=ProblemDocument)
    except msgspec.DecodeError:
        problem = ProblemDocument()
    code = problem.type.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    kind = BY_CODE.get(code) or _class_by_status(status, "" if code == "blank" else code)
    detail = problem.detail or problem.title or _sentence(status)
    if issubclass(kind, InvalidInputError):
        return kind(detail, issues=tuple(problem.errors))
    return kind(detail)


def _class_by_status(status: int, code: str) -> type[DaftrayError]:
    kind = _BY_STATUS.get(status, DaftrayError)
    return type(kind.__name__, (kind,), {"code": code, "__doc__": kind.__doc__}) if code else kind


def _sentence(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "no standard status"
    return f"The server answered {status} ({phrase}) without saying why. Is this address a daftray server?"
