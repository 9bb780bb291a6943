"""The server's own figures, as Prometheus reads them. ``docs/monitoring.md`` lists them.

What is of all runs comes from counts that the database keeps (`TallyStore`), so that a scrape costs the same
with a million runs as with ten, and several servers that share a database say the same. What is of this
process alone (reports, memory, CPU) is counted here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import Metric

from daftray.domain.errors import DaftrayError, StoreUnavailableError
from daftray.domain.ports import Clock, TallyStore
from daftray.domain.tally import Tallies
from daftray.metrics import families

FRESH_FOR = timedelta(seconds=5)
"""How old what is shown of all runs may be: more frequent scrapes cost the database nothing."""
READ_WITHIN_S = 5.0
_REPORT_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

ReportKind = Literal["metrics", "logs"]


class Exposition:
    """Counts what this process does, and shows it beside what there is of all runs."""

    def __init__(self, *, tallies: TallyStore, clock: Clock) -> None:
        self._tallies = tallies
        self._clock = clock
        self._registry = CollectorRegistry()
        self._reports = Counter(
            "daftray_reports",
            "Reports that this server has answered, by kind and outcome (kept, refused, failed).",
            ["kind", "outcome"],
            registry=self._registry,
        )
        self._lag = Histogram(
            "daftray_report_lag_seconds",
            "Time from the arrival of a report at this server until it was in the database.",
            ["kind"],
            buckets=_REPORT_SECONDS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._reading = asyncio.Lock()
        self._known: Tallies | None = None
        self._read_at: datetime | None = None

    @contextmanager
    def report(self, kind: ReportKind) -> Generator[None]:
        """Count a report and how long it takes until it is kept."""
        began = time.perf_counter()
        try:
            yield
        except DaftrayError as exc:
            outcome = "failed" if isinstance(exc, StoreUnavailableError) else "refused"
            self._reports.labels(kind, outcome).inc()
            raise
        except BaseException:
            self._reports.labels(kind, "failed").inc()
            raise
        self._reports.labels(kind, "kept").inc()
        self._lag.labels(kind).observe(time.perf_counter() - began)

    async def text(self) -> bytes:
        """Return it all in Prometheus's text format. Without the database that is what it knows itself."""
        tallies = await self._fresh()
        shown = _Shown([*self._registry.collect(), *families.of_server(reachable=tallies is not None)])
        if tallies is not None:
            shown.metrics += families.of_tallies(tallies)
        return await asyncio.to_thread(generate_latest, shown)

    async def _fresh(self) -> Tallies | None:
        async with self._reading:  # one reads for all that ask meanwhile
            now = self._clock.now()
            if self._read_at is None or not timedelta(0) <= now - self._read_at < FRESH_FOR:
                self._known = await self._read()
                self._read_at = now
            return self._known

    async def _read(self) -> Tallies | None:
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                return await self._tallies.read()
        except (DaftrayError, TimeoutError):
            return None


class _Shown(CollectorRegistry):
    """Metrics that were collected before, as the library wants them to write them down."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()
        self.metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self.metrics
