"""Rows and columns on stdout: drawn to fit where it is a terminal, plain and complete elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import typer

from daftray.cli.screen import cell

_GAP = 2
_LEAST_WIDTH = 10
"""What a column of longer texts is narrowed to before others are left out."""


def emit_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under the names of their columns, the most telling columns first.

    A terminal that is too narrow for all of them does without the last ones.
    """
    texts = [[cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, rows, texts)
    else:
        typer.echo("\n".join(plain_columns([list(columns), *texts])))


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


def least_widths(
    columns: Sequence[str], rows: Sequence[Sequence[object]], texts: Sequence[Sequence[str]]
) -> list[int]:
    """Return how narrow each column may get: names and times, which get copied, are never broken up."""
    widths: list[int] = []
    for position, column in enumerate(columns):
        widest = max(len(column), *(len(row[position]) for row in texts), 0)
        whole = position == 0 or any(isinstance(row[position], datetime) for row in rows)
        widths.append(widest if whole else max(len(column), min(widest, _LEAST_WIDTH)))
    return widths


def columns_that_fit(widths: Sequence[int], room: int) -> int:
    """Return how many of the first columns fit, at least one."""
    used = 0
    for position, width in enumerate(widths):
        used += width + (_GAP if position else 0)
        if used > room:
            return max(1, position)
    return len(widths)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[object]], texts: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout)
    widths = least_widths(columns, rows, texts)
    fitting = columns_that_fit(widths, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for column, width in zip(columns[:fitting], widths, strict=False):
        table.add_column(column, overflow="fold", min_width=min(width, console.width))
    for row in texts:
        table.add_row(*(Text(text) for text in row[:fitting]))
    console.print(table)
