"""``daftray runs logs``."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from daftray.cli import screen
from daftray.cli.options import AsJson, Attempt, Project, RunId
from daftray.cli.session import connect_to_project
from daftray.domain.errors import InputIssue, InvalidInputError

_RANGE = re.compile(r"(\d+)-(\d*)")
_EPILOG = """\b
Examples:
  daftray runs logs RUN > run.log         byte by byte what the process wrote
  daftray runs logs RUN --tail 100
  daftray runs logs RUN --q Traceback     matching lines, with their numbers
  daftray runs logs RUN --follow          as it grows, to the run's end, further attempts included
  daftray runs logs RUN --attempt 1       of an earlier attempt
  daftray runs logs RUN --range 0-1023
"""


def add_to(app: typer.Typer) -> None:
    """Add the command to the group of runs."""
    app.command("logs", epilog=_EPILOG)(logs)


def logs(  # noqa: PLR0913 (each is an option of the command)
    context: typer.Context,
    run: RunId,
    *,
    project: Project = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as it grows, to the run's end.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", min=1, help="The last N lines.")
    ] = None,
    byte_range: Annotated[
        str | None,
        typer.Option("--range", metavar="FIRST-LAST", help="Only these bytes; LAST may be left out."),
    ] = None,
    q: Annotated[
        str | None, typer.Option("--q", metavar="TEXT", help="Only lines that hold this text.")
    ] = None,
    attempt: Attempt = None,
    as_json: AsJson = False,
) -> None:
    """Print a run's log."""
    _refuse_contradictions(follow=follow, tail=tail, byte_range=byte_range, q=q)
    client = connect_to_project(context, project)
    if q is not None:
        found = client.runs.search_logs(run, q, attempt=attempt)
        if as_json:
            screen.emit_json(found)
            return
        for match in found:
            screen.emit(f"{match.line}: {match.message}")
        if found.more:
            screen.say("There are more matches than the server shows.")
    elif follow:
        for line in client.runs.follow(run, attempt=attempt):
            screen.emit_bytes(f"{line.message}\n".encode())
    elif tail is not None:
        screen.emit_bytes(client.runs.logs(run, tail=tail, attempt=attempt))
    else:
        start, end = _bounds(byte_range)
        for piece in client.runs.iterate_logs(run, start=start, end=end, attempt=attempt):
            screen.emit_bytes(piece)


def _bounds(byte_range: str | None) -> tuple[int, int | None]:
    if byte_range is None:
        return 0, None
    found = _RANGE.fullmatch(byte_range)
    if not found:
        raise _refusal("write --range as FIRST-LAST, counted from 0, such as 0-1023 or 4096-.")
    return int(found[1]), int(found[2]) + 1 if found[2] else None


def _refuse_contradictions(*, follow: bool, tail: int | None, byte_range: str | None, q: str | None) -> None:
    chosen = [follow, tail is not None, byte_range is not None, q is not None]
    if sum(chosen) > 1:
        raise _refusal("--follow, --tail, --range and --q do not go together: give one of them.")


def _refusal(message: str) -> InvalidInputError:
    return InvalidInputError(message, issues=(InputIssue(path="log", message=message),))
