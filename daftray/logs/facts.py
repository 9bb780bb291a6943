"""What is known of a chunk of a log beside its bytes: its lines, when they came in, and who wrote them.

All of it is beside the point of a log: where it is missing, lines are counted anew, and times are not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from daftray.logs.processes import labels_in

MOST_PROCESSES = 200
"""Names of processes that are kept of a chunk, and told of a log."""
_NEAR_BYTES = 256
_NEAR_SHARE = 1024


class Arrival(NamedTuple):
    """From this byte of a chunk on, what follows came in at this second (UTC, since 1970) or later.

    ``lines`` are the ends of lines before that byte in the chunk.
    """

    offset: int
    lines: int
    at: int


class ChunkFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of the first ``size`` bytes of a chunk. Of one that grows, only the times are told."""

    size: int
    lines: int = 0
    """Ends of lines."""
    first: int | None = None
    last: int | None = None
    """The bytes after the first and the last end of a line."""
    processes: Sequence[str] = ()
    arrivals: Sequence[Arrival] = ()


def facts_of(data: bytes, arrivals: Sequence[Arrival] = ()) -> ChunkFacts:
    """Look through a chunk's bytes. A name that lies across the border of two chunks is not seen."""
    first, last = data.find(b"\n"), data.rfind(b"\n")
    return ChunkFacts(
        size=len(data),
        lines=data.count(b"\n"),
        first=None if first < 0 else first + 1,
        last=None if last < 0 else last + 1,
        processes=labels_in(data, MOST_PROCESSES),
        arrivals=arrivals,
    )


def with_arrival(arrivals: Sequence[Arrival], new: Arrival) -> Sequence[Arrival]:
    """Return arrivals with one more, or the same ones where it would tell too little.

    Each is a second after the one before at least. One that is near to it in bytes counts only where it is
    not near in time too, measured by all the time that the chunk has grown: so a chunk that takes a week has
    some thousands of them, and not hundreds of thousands.
    """
    if arrivals:
        first, last = arrivals[0], arrivals[-1]
        soon = new.at - last.at < (new.at - first.at) // _NEAR_SHARE
        if new.at <= last.at or (soon and new.offset - last.offset < _NEAR_BYTES):
            return arrivals
    return [*arrivals, new]


def thinned(arrivals: Sequence[Arrival], most: int) -> Sequence[Arrival]:
    """Return some of the arrivals, evenly, with the first always."""
    step = -(-len(arrivals) // most)
    return arrivals[::step] if step > 1 else arrivals
