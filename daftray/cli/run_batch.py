"""``daftray runs create-many``: runs from a file of JSON lines."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from daftray.cli import screen
from daftray.cli.limits import IdempotencyKey
from daftray.cli.options import AsJson, Project
from daftray.cli.session import connect_to_project
from daftray.domain.errors import InputIssue, InvalidInputError

_STDIN = Path("-")
_PLACE = re.compile(r"runs\[(\d+)\]\.?(.*)", re.DOTALL)
_EPILOG = """\b
Each line of FILE is the body of the API's create call; blank lines are passed over:
  {"entrypoint": {"file": {"file_path": "score.py", "argv": ["2030-01-31"]}}, "labels": {"day": "31"}}
  {"entrypoint": {"function": {"module": "score.py", "symbol": "main", "kwargs": {"day": 30}}}}
Their code is that of the project's branch, unless a line has a source.

\b
Examples:
  daftray runs create-many days.jsonl
  generate-days | daftray runs create-many - --idempotency-key backfill-2030-01
"""


def add_to(app: typer.Typer) -> None:
    """Add the command to the group of runs."""
    app.command("create-many", epilog=_EPILOG)(create_many)


def create_many(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON lines, up to 1,000; - is stdin.", show_default=False)
    ],
    project: Project = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Create many runs in one call, all of them or none, and print their ids in the order of the lines."""
    name, numbers, bodies = _read(file)
    client = connect_to_project(context, project)
    try:
        run_ids = client.runs.create_many(bodies, idempotency_key=idempotency_key)
    except InvalidInputError as error:
        raise _placed(error, name, numbers) from error
    screen.say(f"{len(run_ids)} runs of project {client.project} at {client.base_url}")
    if as_json:
        screen.emit_json({"run_ids": run_ids})
    else:
        screen.emit("\n".join(run_ids))


def _read(file: Path) -> tuple[str, list[int], list[dict[str, Any]]]:
    """Return the file's name for people, and the number and the content of each line that has some."""
    name = "stdin" if file == _STDIN else str(file)
    try:
        text = sys.stdin.buffer.read() if file == _STDIN else file.read_bytes()
    except OSError as exc:
        raise _refusal(name, f"{name} cannot be read: {exc.strerror}.") from exc
    numbers: list[int] = []
    bodies: list[dict[str, Any]] = []
    for number, line in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            bodies.append(msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            where = f"line {number} of {name}"
            raise _refusal(where, f"{where} is no JSON object: {exc}.") from exc
        numbers.append(number)
    if not bodies:
        raise _refusal(name, f"{name} has no runs: give one JSON object a line.")
    return name, numbers, bodies


def _placed(error: InvalidInputError, name: str, numbers: list[int]) -> InvalidInputError:
    """Return the server's refusal with the lines of the file in place of the positions in the call."""
    issues = tuple(_at_line(issue, numbers) for issue in error.issues)
    return type(error)(f"{error.detail} Nothing of {name} was created.", issues=issues)


def _at_line(issue: InputIssue, numbers: list[int]) -> InputIssue:
    found = _PLACE.fullmatch(issue.path)
    if found is None or int(found[1]) >= len(numbers):
        return issue
    line = f"line {numbers[int(found[1])]}"
    return InputIssue(path=f"{line}: {found[2]}" if found[2] else line, message=issue.message)


def _refusal(path: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, issues=(InputIssue(path=path, message=message),))
