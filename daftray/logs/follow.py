"""A log as it grows: what the event stream sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from daftray.domain.ports import Clock, RunStore
from daftray.domain.run import Run
from daftray.domain.status import RunStatus
from daftray.logs.archive import LogArchive, archived_size
from daftray.logs.lines import LogLine, split_lines, timestamp
from daftray.logs.sharing import SharedCalls
from daftray.logs.signals import LogSignals

__all__ = ["LogBatch", "LogEnd", "LogFollower", "LogLine", "LogSignals"]

_QUIET_POLLS = 30
"""After so many looks without a line an empty batch shows life: proxies end silent streams."""
POLL_S = 0.5
"""How often the run is looked at when no signal comes: another process may be the one that archives it."""
_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines that came in together, and when (``2026-01-31T10:30:01.123456Z``); none after long silence."""

    timestamp: str
    lines: list[LogLine]


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Everything was sent, and the attempt has ended so. A stream that ends without this was cut off."""

    status: RunStatus
    offset: int


class LogFollower:
    """Follows logs. ``stopping`` is set when the server is about to end: all streams end then, cut off."""

    def __init__(
        self,
        *,
        archive: LogArchive,
        runs: RunStore,
        signals: LogSignals,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        self._archive = archive
        self._runs = runs
        self._signals = signals
        self._clock = clock
        self._stopping = stopping
        self._looks = SharedCalls[Run]()
        self._reads = SharedCalls[bytes]()

    async def follow(
        self, run_id: str, *, attempt: int | None = None, offset: int = 0
    ) -> AsyncGenerator[LogBatch | LogEnd, None]:
        """Yield the lines of an attempt's log (by default the current one's) from an offset on.

        Ends with a `LogEnd` once the attempt has ended and all its bytes were yielded; without one when the
        server stops.

        Raises:
            RunNotFoundError: there is no such run.
            LogNotFoundError: the run has no such attempt.
            LogRemovedError: retention removed it.
        """
        attempt, _ = await self._archive.size(run_id, attempt)
        quiet = 0
        with self._signals.following(run_id) as changed:
            while not self._stopping.is_set():
                changed.clear()
                run = await self._looks.get((run_id, self._signals.given), lambda: self._runs.get(run_id))
                ended = _ended(run, attempt)
                size = archived_size(run, attempt)
                async for batch in self._new_lines(run_id, attempt, offset, size, final=ended is not None):
                    offset, quiet = batch.lines[-1].offset, 0
                    yield batch
                    if self._stopping.is_set():
                        return
                if ended is not None:
                    yield LogEnd(status=ended, offset=offset)
                    return
                await self._wait(changed)
                quiet += 1
                if quiet % _QUIET_POLLS == 0:
                    yield LogBatch(timestamp(self._clock.now()), [])

    async def _new_lines(
        self, run_id: str, attempt: int, offset: int, size: int, *, final: bool
    ) -> AsyncGenerator[LogBatch, None]:
        while offset < size:
            end = min(size, offset + _BATCH_BYTES)
            data = await self._reads.get(
                (run_id, attempt, offset, end),
                lambda start=offset, end=end: self._archive.read(
                    run_id, attempt, size=size, start=start, end=end
                ),
            )
            lines = split_lines(data, offset, final=final and end == size)
            if not lines:
                return
            offset = lines[-1].offset
            yield LogBatch(timestamp(self._clock.now()), lines)

    async def _wait(self, changed: asyncio.Event) -> None:
        """Wait until the run changes, the server stops, or it is time to look anyway."""
        waits = {asyncio.create_task(changed.wait()), asyncio.create_task(self._stopping.wait())}
        try:
            await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()


def _ended(run: Run, attempt: int) -> RunStatus | None:
    """Return how an attempt ended, if it did. An older attempt has ended, whatever its row says."""
    if attempt == run.attempt:
        return run.status if run.status.terminal else None
    older = next(one for one in run.attempts if one.number == attempt)
    return older.status if older.status.terminal else RunStatus.FAILED
