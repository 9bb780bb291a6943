"""A run's metrics as they change: what the event stream sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from msgspec.structs import replace

from daftray.domain.metrics import RunMetrics
from daftray.domain.ports import RunStore
from daftray.domain.run import Run
from daftray.domain.series import Series
from daftray.domain.status import RunStatus
from daftray.logs.sharing import SharedCalls
from daftray.metrics.outcomes import Outcomes

POLL_S = 1.0
"""How often the metrics are looked at. All who follow a run share the looks."""
_QUIET_POLLS = 15
"""After so many looks without a change something is sent all the same: proxies end silent streams."""


@dataclass(frozen=True, slots=True)
class MetricsEnd:
    """The run has ended so, and its metrics are what was sent last. A stream without this was cut off."""

    status: RunStatus


class MetricsFollower:
    """Follows metrics. ``stopping`` is set when the server is about to end: all streams end then, cut off."""

    def __init__(
        self, *, outcomes: Outcomes, runs: RunStore, stopping: asyncio.Event, poll_s: float = POLL_S
    ) -> None:
        self._outcomes = outcomes
        self._runs = runs
        self._stopping = stopping
        self._poll_s = poll_s
        self._looks = SharedCalls[tuple[Run, RunMetrics]]()

    async def follow(self, run_id: str) -> AsyncGenerator[RunMetrics | MetricsEnd | None, None]:
        """Yield a run's metrics now and whenever they have changed, and at last how it ended.

        The first has all of the series, each further one what is new of it. None is a sign of life after
        long silence.
        """
        sent, told, quiet = RunMetrics(), Series(), 0
        while not self._stopping.is_set():
            run, metrics = await self._looks.get(run_id, lambda: self._look(run_id))
            if replace(metrics, series=Series()) != replace(sent, series=Series()) or not quiet:
                yield replace(metrics, series=_news(metrics.series, told))
                sent, told, quiet = metrics, metrics.series, 0
            elif quiet % _QUIET_POLLS == 0:
                yield None
            if run.status.terminal:
                yield MetricsEnd(status=run.status)
                return
            quiet += 1
            await self._wait()

    async def _look(self, run_id: str) -> tuple[Run, RunMetrics]:
        run = await self._runs.get(
            run_id
        )  # first: what it reports before its end is in what is read after it
        return run, await self._outcomes.metrics(run_id)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), self._poll_s)
        except TimeoutError:
            return


def _news(series: Series, told: Series) -> Series:
    """Return the samples that come after those that were told."""
    if not told.samples:
        return series
    last = told.samples[-1].at
    return replace(series, samples=tuple(sample for sample in series.samples if sample.at > last))
