"""HTTP byte ranges (RFC 9110, section 14): one range, from the start or the end."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


class UnsatisfiableRangeError(Exception):
    """The range lies outside of what there is."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes ``start`` to ``end``, exclusive."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range that a ``Range`` header asks for; nothing where it is to be ignored.

    A header that is malformed, or asks for several ranges, is ignored, as the RFC allows.

    Raises:
        UnsatisfiableRangeError: it asks for bytes that are not there.
    """
    match = _ONE_RANGE.fullmatch((header or "").strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start = int(first)
        end = min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableRangeError
    return ByteRange(start, end)
