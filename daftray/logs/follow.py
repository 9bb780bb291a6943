"""A log as it grows: what the event stream sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from daftray.domain.ports import Clock, RunStore
from daftray.domain.run import Run
from daftray.domain.status import RunStatus
from daftray.logs.archive import LogArchive, archived_size
from daftray.logs.lines import LogLine, split_lines, timestamp, whole_lines
from daftray.logs.sharing import SharedCalls
from daftray.logs.signals import LogSignals

__all__ = ["LogBatch", "LogEnd", "LogFollower", "LogLine", "LogPiece", "LogSignals"]

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
class LogPiece:
    """Text that goes on where the last piece ended, mostly whole lines; none after long silence.

    ``at`` is the second (UTC, since 1970) at which it came in, where this follower saw it coming.
    """

    at: int | None
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Everything was sent, and the attempt has ended so. A stream that ends without this was cut off."""

    status: RunStatus
    offset: int


Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class _Grown(Generic[Shown]):
    """What came of bytes up to an offset, or nothing after long silence.

    It is ``fresh`` where it was waited for.
    """

    offset: int
    shown: Shown | None
    fresh: bool = False


_Cut = Callable[[bytes, int, bool], _Grown[Shown] | None]
"""Takes bytes, the offset that they begin at, and whether the log ends with them."""


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

        def lines_of(data: bytes, start: int, final: bool) -> _Grown[list[LogLine]] | None:
            lines = split_lines(data, start, final=final)
            return _Grown(lines[-1].offset, lines) if lines else None

        async for part in self._follow(run_id, attempt, offset, lines_of):
            if isinstance(part, LogEnd):
                yield part
            else:
                yield LogBatch(timestamp(self._clock.now()), part.shown or [])

    async def pieces(
        self, run_id: str, *, attempt: int | None = None, offset: int = 0
    ) -> AsyncGenerator[LogPiece | LogEnd, None]:
        """Yield the same as text, in pieces as large as they come: a line alone costs more than its text.

        Ends and raises as `follow` does.
        """

        def text_of(data: bytes, start: int, final: bool) -> _Grown[str] | None:
            text = whole_lines(data, start, final=final, longest=_BATCH_BYTES)
            return _Grown(text.offset, text.text) if text else None

        async for part in self._follow(run_id, attempt, offset, text_of):
            if isinstance(part, LogEnd):
                yield part
            else:
                at = int(self._clock.now().timestamp()) if part.fresh else None
                yield LogPiece(at, part.offset, part.shown or "")

    async def _follow(
        self, run_id: str, attempt: int | None, offset: int, cut: _Cut[Shown]
    ) -> AsyncGenerator[_Grown[Shown] | LogEnd, None]:
        attempt, _ = await self._archive.size(run_id, attempt)
        quiet, fresh = 0, False
        with self._signals.following(run_id) as changed:
            while not self._stopping.is_set():
                changed.clear()
                run = await self._looks.get((run_id, self._signals.given), lambda: self._runs.get(run_id))
                ended = _ended(run, attempt)
                size = archived_size(run, attempt)
                async for part in self._grown(run_id, attempt, offset, size, cut, final=ended is not None):
                    offset, quiet = part.offset, 0
                    yield replace(part, fresh=fresh)
                    if self._stopping.is_set():
                        return
                if ended is not None:
                    yield LogEnd(status=ended, offset=offset)
                    return
                await self._wait(changed)
                quiet, fresh = quiet + 1, True
                if quiet % _QUIET_POLLS == 0:
                    yield _Grown(offset, None)

    async def _grown(
        self, run_id: str, attempt: int, offset: int, size: int, cut: _Cut[Shown], *, final: bool
    ) -> AsyncGenerator[_Grown[Shown], None]:
        while offset < size:
            end = min(size, offset + _BATCH_BYTES)
            data = await self._reads.get(
                (run_id, attempt, offset, end),
                lambda start=offset, end=end: self._archive.read(
                    run_id, attempt, size=size, start=start, end=end
                ),
            )
            part = cut(data, offset, final and end == size)
            if part is None:
                return
            offset = part.offset
            yield part

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
