"""Python code cut into parts that pages colour. What is cut, or no Python, stays as readable as it can."""

from __future__ import annotations

import keyword
import tokenize
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

import msgspec

Kind = Literal["", "keyword", "string", "number", "comment", "defined"]
_KINDS: dict[str, Kind] = {
    "STRING": "string",
    "FSTRING_START": "string",  # one STRING before Python 3.12
    "FSTRING_MIDDLE": "string",
    "FSTRING_END": "string",
    "NUMBER": "number",
    "COMMENT": "comment",
}
_DEFINE = {"def", "class"}
_LONGEST_LINE = 2000


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a line, and what it is; nothing for what has no colour."""

    text: str
    kind: Kind = ""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """Where a part is: its row and columns. The text itself is always taken from the line."""

    row: int
    start: int
    end: int
    kind: Kind


def coloured(lines: Sequence[str]) -> list[list[Part]]:
    """Return each line in parts whose texts together are the line, whatever it holds."""
    by_row: dict[int, list[_Found]] = {}
    for found in _found(lines):
        by_row.setdefault(found.row, []).append(found)
    return [_cut(line, by_row.get(row, [])) for row, line in enumerate(lines)]


def _found(lines: Sequence[str]) -> Iterator[_Found]:
    """Go through the lines; where the tokenizer gives up, begin again at the line after.

    A fragment begins and ends anywhere: inside a string, a bracket, an indentation.
    """
    row = 0
    while row < len(lines):
        last = row
        for found in _until_trouble(lines[row:]):
            last = max(last, row + found.row)
            if found.kind:
                yield msgspec.structs.replace(found, row=row + found.row)
        row = last + 1


def _until_trouble(lines: Sequence[str]) -> Iterator[_Found]:
    defining = False
    try:
        for token in tokenize.generate_tokens(chain(map(_plain, lines), [""]).__next__):
            if token.type == tokenize.ENDMARKER:
                yield _Found(row=len(lines) - 1, start=0, end=0, kind="")
                return
            kind = "defined" if defining and token.type == tokenize.NAME else _kind(token)
            defining = kind == "keyword" and token.string in _DEFINE
            yield from _rows(token, kind)
    except (tokenize.TokenError, SyntaxError, ValueError, StopIteration):
        return


def _plain(line: str) -> str:
    """Return a line for the tokenizer: nothing inside it ends it, and no column is another than before."""
    text = line if len(line) <= _LONGEST_LINE else ""
    return text.replace("\r", " ").replace("\n", " ").replace("\f", " ").replace("\0", " ") + "\n"


def _kind(token: tokenize.TokenInfo) -> Kind:
    if token.type == tokenize.NAME:
        return "keyword" if keyword.iskeyword(token.string) else ""
    return _KINDS.get(tokenize.tok_name[token.type], "")


def _rows(token: tokenize.TokenInfo, kind: Kind) -> Iterator[_Found]:
    """Return where a token is, row by row: a string may go over several."""
    (first, start), (last, end) = token.start, token.end
    for row in range(first, last + 1):
        from_here = start if row == first else 0
        to_here = end if row == last else _LONGEST_LINE
        yield _Found(row=row - 1, start=from_here, end=to_here, kind=kind)


def _cut(line: str, found: Sequence[_Found]) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for one in sorted(found, key=lambda each: each.start):
        start, end = max(at, one.start), min(one.end, len(line))
        if end <= start:
            continue
        if start > at:
            parts.append(Part(text=line[at:start]))
        parts.append(Part(text=line[start:end], kind=one.kind))
        at = end
    return [*parts, Part(text=line[at:])] if at < len(line) else parts
