"""Folds runs' counters in: many small reports become few writes, and a report is answered once it is kept."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from daftray.domain.metrics import Counter, summarise
from daftray.domain.ports import ReportStore, RunStore

GATHER_S = 0.05
"""How long reports are gathered before they are written together."""

_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class UsageIngest:
    """Group commit for counters. Start it inside a running event loop; `close` writes what is left."""

    def __init__(self, *, reports: ReportStore, runs: RunStore, gather_s: float = GATHER_S) -> None:
        self._reports = reports
        self._runs = runs
        self._gather_s = gather_s
        self._pending: dict[tuple[str, int], dict[_Key, Counter]] = defaultdict(dict)
        self._written: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def add(self, run_id: str, attempt: int, counters: list[Counter]) -> None:
        """Keep counters of an attempt; return when they are in the database."""
        folded = self._pending[run_id, attempt]
        for counter in counters:
            key = (counter.process, counter.metric, tuple(sorted(counter.attributes.items())))
            known = folded.get(key)
            if known is None or counter.value > known.value:
                folded[key] = counter
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._write_soon(self._written))
        await asyncio.shield(self._written)

    async def close(self) -> None:
        """Wait for the last write."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_soon(self, written: asyncio.Future[None]) -> None:
        await asyncio.sleep(self._gather_s)
        batch, self._pending, self._written = self._pending, defaultdict(dict), None
        try:
            for (run_id, attempt), folded in batch.items():
                await self._reports.count(run_id, attempt, list(folded.values()))
                await self._runs.save_usage(run_id, summarise(await self._reports.totals(run_id)).summary())
        except Exception as exc:  # noqa: BLE001 (each waiting request answers with it, and the runner sends again)
            written.set_exception(exc)
            written.exception()  # nobody may be waiting any more
        else:
            written.set_result(None)
