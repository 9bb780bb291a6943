from __future__ import annotations

import inspect
import json

import pytest

from daftray.client.errors import BY_CODE, ServerUnreachableError, error_from
from daftray.domain import errors
from daftray.domain.errors import (
    DaftrayError,
    InputIssue,
    InvalidInputError,
    NotFoundError,
    RunNotFoundError,
    SourceError,
    SourceRefusedError,
    UnauthenticatedError,
)

DOMAIN_ERRORS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DaftrayError)
]


def answer(code: str, **more: object) -> bytes:
    return json.dumps({"type": code, "title": "T", "status": 400, "detail": "Say why.", **more}).encode()


@pytest.mark.parametrize("kind", DOMAIN_ERRORS)
def test_each_error_of_the_domain_comes_back_as_itself(kind: type[DaftrayError]) -> None:
    back = error_from(400, answer(kind.code))

    assert back.code == kind.code
    assert back.detail == "Say why."
    # A parent and a child can share a code; the child is the one that comes back.
    assert issubclass(type(back), kind) or issubclass(kind, type(back))


def test_leaves_win_over_the_parents_that_share_their_code() -> None:
    assert BY_CODE["source-refused"] is SourceRefusedError
    assert issubclass(BY_CODE["source-not-found"], SourceError)


def test_issues_survive() -> None:
    issues = [{"path": "source.git.ref", "message": "there is no such branch"}]

    back = error_from(400, answer("source-not-found", errors=issues))

    assert isinstance(back, InvalidInputError)
    assert back.issues == (InputIssue(path="source.git.ref", message="there is no such branch"),)


@pytest.mark.parametrize(
    ("status", "kind"), [(422, InvalidInputError), (404, NotFoundError), (418, DaftrayError)]
)
def test_a_code_of_a_newer_server_keeps_its_text(status: int, kind: type[DaftrayError]) -> None:
    back = error_from(status, answer("budget-exceeded"))

    assert isinstance(back, kind)
    assert back.code == "budget-exceeded"
    assert kind.code != "budget-exceeded"


@pytest.mark.parametrize("code", ["https://example.com/errors/run-not-found", "urn:daftray:run-not-found"])
def test_a_code_may_come_as_an_address(code: str) -> None:
    assert isinstance(error_from(404, answer(code)), RunNotFoundError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(502, ServerUnreachableError), (401, UnauthenticatedError), (404, NotFoundError), (599, DaftrayError)],
)
def test_an_answer_of_another_program_is_told_by_its_status(status: int, kind: type[DaftrayError]) -> None:
    back = error_from(status, b"<html>bad gateway</html>")

    assert type(back) is kind
    assert str(status) in back.detail


def test_an_untyped_problem_is_told_by_its_status() -> None:
    assert type(error_from(404, answer("about:blank"))) is NotFoundError
