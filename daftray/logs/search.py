"""The end of a log, and the lines of it that hold a text, without the whole log in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice

import msgspec

from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK
from daftray.logs.finding import Found, Scan, holding

MOST_LINES = 10_000
"""Lines that a tail gives at most, and matches that a search gives at most."""
MOST_TAIL_BYTES = 16 << 20
_SHOWN_BYTES = 2000


class LogMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A line that holds the text. Lines count from one; ``offset`` is where the line begins."""

    line: int
    offset: int
    message: str


class LogMatches(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found; ``more`` where it stopped before the end."""

    matches: list[LogMatch]
    more: bool = False


async def tail(archive: LogArchive, run_id: str, attempt: int, *, size: int, lines: int) -> bytes:
    """Return the last lines of a log, newlines included; fewer where they are very long."""
    wanted = min(lines, MOST_LINES)
    found = b""
    start = size
    while start > 0 and wanted > 0 and len(found) < MOST_TAIL_BYTES:
        earlier = max(0, start - CHUNK)
        found = await archive.read(run_id, attempt, size=size, start=earlier, end=start) + found
        start = earlier
        if (cut := _start_of_last(found, wanted)) is not None:
            return found[cut:]
    return found


async def search(
    archive: LogArchive, run_id: str, attempt: int, *, size: int, text: str, limit: int = 1000
) -> LogMatches:
    """Return the lines that hold a text, upper and lower case of ASCII letters alike."""
    scan, matches = Scan(holding(text)), list[LogMatch]()
    most = min(limit, MOST_LINES)

    def take(found: Iterable[Found]) -> bool:
        """Keep what is found; tell whether there is enough of it."""
        for line, offset, data in islice(found, most - len(matches)):
            shown = data[:_SHOWN_BYTES].decode(errors="replace")
            matches.append(LogMatch(line=line, offset=offset, message=shown))
        return len(matches) >= most

    async for data in archive.stream(run_id, attempt, size=size):
        if await asyncio.to_thread(take, scan.feed(data)):
            return LogMatches(matches=matches, more=True)
    take(scan.finish())
    return LogMatches(matches=matches)


def _start_of_last(data: bytes, lines: int) -> int | None:
    """Return where the last lines begin, or nothing where the data does not hold the newline before them."""
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return None
    return at + 1
