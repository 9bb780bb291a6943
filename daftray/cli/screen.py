"""What people and programs read: answers on stdout, everything else on stderr.

Nothing that a run or a
server says can move the cursor or change the terminal: control characters are shown, not sent.
"""

from __future__ import annotations

import sys
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


def dollars(amount: float | None) -> str:
    """Return an amount of US dollars for people: whole cents, or as many digits as a small one needs."""
    if amount is None:
        return NOTHING
    return f"${amount:,.2f}" if amount == 0 or amount >= 1 else f"${amount:.6f}".rstrip("0")


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
