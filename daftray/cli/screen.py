"""What people and programs read: answers on stdout, everything else on stderr.

Tables are drawn where stdout is a terminal; elsewhere they are plain columns. Nothing that a run or a
server says can move the cursor or change the terminal: control characters are shown, not sent.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import typer

_ALLOWED_CONTROLS = frozenset("\n\t")
NOTHING = "-"


def say(text: str) -> None:
    """Print words for a person, on stderr."""
    typer.echo(printable(text), err=True)


def emit(text: str) -> None:
    """Print an answer, on stdout."""
    typer.echo(printable(text))


def emit_json(value: object) -> None:
    """Print an answer as JSON, as the API gives it."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def emit_bytes(data: bytes, *, to_stderr: bool = False) -> None:
    """Print bytes as they are, on stdout unless told otherwise."""
    stream = sys.stderr if to_stderr else sys.stdout
    stream.flush()
    left = memoryview(data)
    while left:
        # Unbuffered (PYTHONUNBUFFERED), a write can take a part, and is silent of a reader that left.
        left = left[stream.buffer.write(left) :]
    stream.buffer.flush()


def emit_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under the names of their columns."""
    texts = [[cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, texts)
        return
    lines = plain_columns([list(columns), *texts])
    typer.echo("\n".join(lines))


def emit_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Print named facts, one a line; those that are not known are left out."""
    known = [[name, cell(value)] for name, value in facts if value not in {None, ""}]
    typer.echo("\n".join(plain_columns(known)))


def plain_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines of columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def cell(value: object) -> str:
    """Return a value as one line of text."""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, float):
        return number(value)
    return printable(str(value)).replace("\n", " ").replace("\t", " ") or NOTHING


def number(value: float | None, digits: int = 1) -> str:
    """Return a number for people; one that is not known is not zero."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value == int(value) else f"{value:,.{digits}f}"


def printable(text: str) -> str:
    """Return a text with its control characters made visible."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _ALLOWED_CONTROLS else char.encode("unicode_escape").decode()
        for char in text
    )


def interactive() -> bool:
    """Tell whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Ask a question of yes and no; the answer is no unless it is yes."""
    # Not typer's: it writes a space to stdout, which belongs to the log and to programs.
    sys.stderr.write(f"{printable(question)} [y/N]: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    Console(file=sys.stdout).print(table)
