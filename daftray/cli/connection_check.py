"""A check that a data source or a catalog can be opened: the run that does it, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from daftray.cli import screen, tables
from daftray.cli.dependencies import given_dependencies
from daftray.cli.failures import EXIT_FAILED
from daftray.cli.follow import exit_code_of
from daftray.cli.summary import tell_ending
from daftray.client.errors import AnswerNotUnderstoodError
from daftray.domain.durations import read_duration
from daftray.domain.result import Column
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.domain.status import RunStatus

if TYPE_CHECKING:
    from daftray.client import Client

EPILOG = """\b
Examples:
  daftray data-sources check orders
  daftray catalogs check main --dep pyiceberg --timeout 10m

The exit code is 0 only if it could be opened. The run has the project's secrets, and nothing of
its code; --dep gives it the libraries that a kind needs and the cluster lacks.
"""
Dependencies = Annotated[
    list[str] | None,
    typer.Option("--dep", metavar="PEP508", help="A library that the check needs. Repeatable."),
]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar="TIME", help="How long it may take; 5m unless given.")
]


class CheckFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why it could not be opened: the exception's type, and what it says."""

    type: str = ""
    reason: str = ""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the run of a check returns (`daftray/runner/connections/check.py`)."""

    ok: bool
    error: CheckFailure = CheckFailure()
    columns: list[Column] | None = None
    rows_seen: int | None = None
    namespaces: list[str] = msgspec.field(default_factory=list[str])
    tables: list[str] | None = None
    more: bool = False


def wanted(dependencies: list[str] | None, timeout: str | None) -> tuple[Environment, float | None]:
    """Return what the options say of a check. Raises `InvalidInputError`."""
    environment = Environment(dependencies=given_dependencies(dependencies or []).requirements)
    return environment, None if timeout is None else read_duration("--timeout", timeout)


def wait_and_tell(client: Client, run: Run, *, as_json: bool) -> int:
    """Wait for the run of a check, print what it found, and return the exit code that tells it."""
    ended = client.runs.wait(run)
    if ended.status is not RunStatus.SUCCEEDED:
        tell_ending(client, ended)
        return exit_code_of(ended)
    value = client.runs.result(ended)
    try:
        found = msgspec.convert(value, CheckResult)
    except msgspec.ValidationError as exc:
        raise AnswerNotUnderstoodError(f"What run {run.id} returned is not understood: {exc}.") from exc
    if as_json:
        screen.emit_json(value)
    elif found.ok:
        _tell(found)
    if not found.ok:
        screen.say(f"It cannot be opened: {found.error.type}: {found.error.reason}")
    return 0 if found.ok else EXIT_FAILED


def _tell(found: CheckResult) -> None:
    if found.columns is not None:
        tables.emit_table(["COLUMN", "TYPE"], [[column.name, column.type] for column in found.columns])
        screen.say("It opens, and has rows." if found.rows_seen else "It opens, and has no rows.")
    if found.tables is not None:
        tables.emit_table(["TABLE"], [[name] for name in found.tables])
        counted = f"{len(found.namespaces)} namespaces, {len(found.tables)} tables"
        screen.say(f"It opens: {counted}{', and more' if found.more else ''}.")
