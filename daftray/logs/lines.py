"""A log's bytes as lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LONGEST_LINE = 64 * 1024
"""Bytes. A longer line is cut, between two characters where it holds UTF-8."""
_CONTINUATION = range(0x80, 0xC0)
_LONGEST_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line: the offset in the log after it, and its text without the newline."""

    offset: int
    message: str


def split_lines(data: bytes, offset: int, *, final: bool) -> list[LogLine]:
    """Return the lines of bytes that begin at an offset; a last one without a newline only where ``final``.

    Bytes that are no UTF-8 show as the replacement character; offsets always count bytes.
    """
    lines: list[LogLine] = []
    start = 0
    while start < len(data):
        newline = data.find(b"\n", start, start + LONGEST_LINE + 1)
        if newline >= 0:
            end = newline + 1
        elif len(data) - start > LONGEST_LINE:
            newline = end = _between_characters(data, start, start + LONGEST_LINE)
        elif final:
            newline = end = len(data)
        else:
            break
        lines.append(LogLine(offset + end, data[start:newline].decode(errors="replace")))
        start = end
    return lines


@dataclass(frozen=True, slots=True)
class LogText:
    """Text that goes on where the last one ended: the offset in the log after it, newlines included."""

    offset: int
    text: str


def whole_lines(data: bytes, offset: int, *, final: bool, longest: int) -> LogText | None:
    """Return bytes that begin at an offset as one text, up to the end of the last line that has one.

    A line of ``longest`` bytes and more is given in parts, and a last one without a newline where ``final``.
    """
    end = data.rfind(b"\n") + 1
    if not end and len(data) >= longest:
        end = _between_characters(data, 0, len(data) - _LONGEST_CHARACTER)
    if final:
        end = len(data)
    return LogText(offset + end, data[:end].decode(errors="replace")) if end else None


def timestamp(at: datetime) -> str:
    """Return a UTC time as ``2026-01-31T10:30:01.123456Z``, with six digits always."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _between_characters(data: bytes, start: int, cut: int) -> int:
    """Move a cut back to where a character begins, if one does within the bytes that it can have."""
    for earlier in range(cut, max(start, cut - _LONGEST_CHARACTER), -1):
        if earlier >= len(data) or data[earlier] not in _CONTINUATION:
            return earlier
    return cut
