"""Where in a log its lines are, and when they came in: enough to show any part without the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

import msgspec

from daftray.domain.errors import LogRemovedError, RunNotFoundError
from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK
from daftray.logs.fact_store import GROUP
from daftray.logs.facts import MOST_PROCESSES, ChunkFacts, facts_of

MOST_TIMES = 4096
_AT_ONCE = 16


class LogIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a log that have an end, and where some of them begin.

    A mark is a line, counted from zero, and the byte that it begins at. There is one for the first line that
    begins in a chunk, so that lines between two marks can be asked for by a byte range.
    """

    lines: int
    end: int
    """The byte after the last line that has an end."""
    marks: list[tuple[int, int]]
    times: list[tuple[int, int]]
    """Lines, counted from zero, and the second (UTC, since 1970) at which they came in or soon after. Some
    thousands at most, evenly spread; none where nothing is known."""
    processes: list[str]
    """Who wrote lines, as Ray says it; some hundreds at most."""


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The first line that came in at a time or later; lines count from one.

    ``time`` is when it came in. It is nothing where no line came in so late, or where it is not known when
    they did; ``line`` and ``offset`` are the end of the log then.
    """

    line: int
    offset: int
    time: datetime | None = None


async def index_of(archive: LogArchive, run_id: str, attempt: int, *, size: int) -> LogIndex:
    """Return the index of a log, from what is known of its chunks; one of which nothing is known is read.

    Raises as `LogArchive.read` does.
    """
    lines, end = 0, 0
    marks, times, processes = [(0, 0)], Evenly(MOST_TIMES), dict[str, None]()
    async for at, one in _chunks(archive, run_id, attempt, size):
        for arrival in one.arrivals:
            times.add((lines + arrival.lines, arrival.at))
        processes |= dict.fromkeys(one.processes)
        if one.first is not None and one.last is not None:
            if at:
                marks.append((lines + 1, at + one.first))
            end = at + one.last
        lines += one.lines
    if marks[-1][0] == lines and lines:  # no line begins there that has an end
        marks.pop()
    named = list(processes)[:MOST_PROCESSES]
    return LogIndex(lines=lines, end=end, marks=marks, times=times.kept, processes=named)


async def place_of(archive: LogArchive, run_id: str, attempt: int, *, size: int, time: datetime) -> LogPlace:
    """Return the first line that came in at a time or later. Raises as `LogArchive.read` does."""
    wanted = time.timestamp()
    lines, before = 0, (0, 0)
    async for at, one in _chunks(archive, run_id, attempt, size):
        if any(arrival.at >= wanted for arrival in one.arrivals):
            # Of the chunk before, the last times may have been left out where it lies in a group.
            for chunk in (before, (at, lines)):
                if (found := await _first_since(archive, run_id, attempt, chunk, wanted)) is not None:
                    return found
        if one.arrivals:
            before = (at, lines)
        lines += one.lines
    found = await _first_since(archive, run_id, attempt, before, wanted)
    return found or LogPlace(line=lines + 1, offset=size)


async def _first_since(
    archive: LogArchive, run_id: str, attempt: int, chunk: tuple[int, int], wanted: float
) -> LogPlace | None:
    """Look into a chunk's own facts; ``chunk`` is where it begins, and the lines before it."""
    at, lines = chunk
    facts = await archive.facts.of_chunk(run_id, attempt, at // CHUNK)
    for arrival in facts.arrivals if facts else ():
        if arrival.at >= wanted:
            time = datetime.fromtimestamp(arrival.at, UTC)
            return LogPlace(line=lines + arrival.lines + 1, offset=at + arrival.offset, time=time)
    return None


async def _chunks(
    archive: LogArchive, run_id: str, attempt: int, size: int
) -> AsyncGenerator[tuple[int, ChunkFacts], None]:
    """Yield where each chunk begins, and what is known of it."""
    for group in range(-(-size // (CHUNK * GROUP))):
        known = await archive.facts.of_group(run_id, attempt, group)
        if known is None:
            known = await _one_by_one(archive, run_id, attempt, size, group)
        for index, one in enumerate(known, group * GROUP):
            yield index * CHUNK, one


async def _one_by_one(
    archive: LogArchive, run_id: str, attempt: int, size: int, group: int
) -> Sequence[ChunkFacts]:
    known: list[ChunkFacts] = []
    end = min((group + 1) * GROUP, -(-size // CHUNK))
    for begin in range(group * GROUP, end, _AT_ONCE):
        some = range(begin, min(end, begin + _AT_ONCE))
        known += await asyncio.gather(*(_chunk(archive, run_id, attempt, size, index) for index in some))
    # The last full chunk's facts may still be on their way, and they tell more than its bytes do.
    if (group + 1) * GROUP * CHUNK + CHUNK <= size:
        await _keep(archive, run_id, attempt, group, known)
    return known


async def _chunk(archive: LogArchive, run_id: str, attempt: int, size: int, index: int) -> ChunkFacts:
    facts = await archive.facts.of_chunk(run_id, attempt, index)
    end = min(size, (index + 1) * CHUNK)
    if facts is not None and facts.size == CHUNK == end - index * CHUNK:
        return facts
    data = await archive.read(run_id, attempt, size=size, start=index * CHUNK, end=end)
    arrivals = [one for one in facts.arrivals if one.offset < len(data)] if facts else ()
    return await asyncio.to_thread(facts_of, data, arrivals)


async def _keep(
    archive: LogArchive, run_id: str, attempt: int, group: int, known: Sequence[ChunkFacts]
) -> None:
    """Keep the facts of a full group, unless the log goes just now.

    Retention notes first that a log is gone, and looks for its blobs then. So it either finds this one, or
    has noted by now.
    """
    await archive.facts.put_group(run_id, attempt, group, known)
    try:
        await archive.size(run_id, attempt)
    except (LogRemovedError, RunNotFoundError):
        await archive.facts.drop_group(run_id, attempt, group)
        raise


class Evenly:
    """Keeps some of what comes, evenly, however much it is."""

    def __init__(self, most: int) -> None:
        self.kept: list[tuple[int, int]] = []
        self._most = most
        self._seen, self._each = 0, 1

    def add(self, one: tuple[int, int]) -> None:
        """Take one more, and keep it or not."""
        if self._seen % self._each == 0:
            self.kept.append(one)
            if len(self.kept) > self._most:
                self.kept, self._each = self.kept[::2], self._each * 2
        self._seen += 1
