"""The end of a log, and the lines of it that hold a text, without the whole log in memory."""

from __future__ import annotations

import asyncio

import msgspec

from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK

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
    finder = _Finder(text.encode().lower(), min(limit, MOST_LINES))
    async for data in archive.stream(run_id, attempt, size=size):
        await asyncio.to_thread(finder.feed, data)
        if finder.full:
            return LogMatches(matches=finder.matches, more=True)
    finder.finish()
    return LogMatches(matches=finder.matches)


class _Finder:
    """Looks through a log that comes in pieces. A line is looked through once its end is known."""

    def __init__(self, needle: bytes, limit: int) -> None:
        self._needle = needle
        self._limit = limit
        self._rest = b""
        self._line, self._offset = 1, 0
        self.matches: list[LogMatch] = []

    @property
    def full(self) -> bool:
        return len(self.matches) >= self._limit

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        # A line without an end is looked through in parts, or it would fill the memory.
        whole = data.rfind(b"\n") + 1 or (len(data) if len(data) > CHUNK else 0)
        self._rest = data[whole:]
        self._look_through(data[:whole])

    def finish(self) -> None:
        self._look_through(self._rest)
        self._rest = b""

    def _look_through(self, data: bytes) -> None:
        lowered = data.lower()
        done = line_start = 0
        line = self._line
        while not self.full and (hit := lowered.find(self._needle, done)) >= 0:
            line += data.count(b"\n", line_start, hit)
            line_start = data.rfind(b"\n", 0, hit) + 1
            end = data.find(b"\n", hit)
            end = len(data) if end < 0 else end
            shown = data[line_start : min(end, line_start + _SHOWN_BYTES)].decode(errors="replace")
            self.matches.append(LogMatch(line=line, offset=self._offset + line_start, message=shown))
            done = end + 1
        self._line += data.count(b"\n")
        self._offset += len(data)


def _start_of_last(data: bytes, lines: int) -> int | None:
    """Return where the last lines begin, or nothing where the data does not hold the newline before them."""
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return None
    return at + 1
