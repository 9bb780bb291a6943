"""What Ray set aside for a run, asked for now and then while the run goes on, and once it has ended.

It is kept as a counter beside those that the run reports itself, so that it only grows: a cluster that
forgets, or tells of some tasks only, takes nothing away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict

from daftray.domain.cluster import Job, ReservedCpu
from daftray.domain.counters import RESERVED_CPU, RESERVED_PARTIAL, Counter
from daftray.domain.errors import ClusterError, DaftrayError, RunNotFoundError
from daftray.domain.ports import Clock, RayJobs, ReportStore
from daftray.domain.run import Run
from daftray.metrics.ray_events import RayEvents

log = logging.getLogger(__name__)

LOOK_EVERY_S = 15.0
SETTLE_WITHIN_S = 8.0
"""The end of a run, and a cancel that comes then, wait no longer for what Ray has to tell."""
_SPARED = 20
"""Looks take a twentieth of the time at most: one at a job of ten thousand tasks takes Ray some seconds."""
_MOST_RUNS = 10_000
PROCESS = "ray"
"""The process of these counters: there is one such for each attempt."""


class Reservations:
    """Keeps what was set aside. At most one look goes on at a time."""

    def __init__(
        self,
        *,
        rayjobs: RayJobs,
        reports: ReportStore,
        clock: Clock,
        events: RayEvents | None = None,
        settle_within_s: float = SETTLE_WITHIN_S,
    ) -> None:
        self._rayjobs = rayjobs
        self._events = events or RayEvents()
        self._reports = reports
        self._clock = clock
        self._settle_within_s = settle_within_s
        self._due = OrderedDict[str, float]()
        self._looking: asyncio.Task[None] | None = None

    def look(self, run: Run, job: Job) -> None:
        """Ask in the background, if it is time to, for a run that goes on."""
        now = asyncio.get_running_loop().time()
        busy = self._looking is not None and not self._looking.done()
        due = self._due.setdefault(job.submission_id, now + LOOK_EVERY_S)
        if len(self._due) > _MOST_RUNS:
            self._due.popitem(last=False)
        if now >= due and not busy:
            self._looking = asyncio.create_task(self._look(run, job))

    async def settle(self, run: Run, job: Job) -> None:
        """Keep what was set aside for an attempt that has ended; what Ray does not tell stays as it is."""
        self._due.pop(job.submission_id, None)
        told = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settle_within_s):
                told = await self._keep(run, job)
        if not told:
            totals = await self._reports.totals(run.id)
            if any((it.metric, it.attempt) == (RESERVED_CPU, run.attempt) for it in totals):
                # That was of a moment while it ran.
                await self._reports.count(run.id, run.attempt, [_counter(RESERVED_PARTIAL, 1)])

    async def heard(self, body: bytes) -> None:
        """Take events of Ray in; return when what they tell of runs is kept.

        Raises:
            InvalidInputError: they are none.
        """
        for submission_id, found in self._events.add(body).items():
            run_id, _, attempt = submission_id.rpartition("-")
            counters = _counters(found)
            if counters and attempt.isdecimal():
                with contextlib.suppress(RunNotFoundError):  # a job of somebody else's
                    await self._reports.count(run_id, int(attempt), counters)

    async def _look(self, run: Run, job: Job) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._keep(run, job)
        except DaftrayError:
            log.warning("what was reserved is not kept", extra={"action": "reserved", "run_id": run.id})
        took_s = loop.time() - began
        self._due[job.submission_id] = loop.time() + max(LOOK_EVERY_S, _SPARED * took_s)

    async def _keep(self, run: Run, job: Job) -> bool:
        """Ask and keep; return whether the cluster told. Its events are taken where they come here."""
        found = self._events.of(job.submission_id)
        try:
            found = found or await self._rayjobs.reserved(job, at=self._clock.now())
        except ClusterError:
            return False
        if counters := _counters(found):
            await self._reports.count(run.id, run.attempt, counters)
        return True


def _counters(found: ReservedCpu) -> list[Counter]:
    counters = [_counter(RESERVED_CPU, found.seconds)] if found.seconds else []
    return [*counters, _counter(RESERVED_PARTIAL, 1)] if found.partial else counters


def _counter(metric: str, value: float) -> Counter:
    return Counter(process=PROCESS, metric=metric, attributes={}, value=value)
