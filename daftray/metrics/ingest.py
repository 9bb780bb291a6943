"""Folds runs' counters in: many small reports become few writes, and a report is answered once it is kept."""

from __future__ import annotations

import asyncio

from daftray.domain.counters import Counter
from daftray.domain.ports import ReportStore, RunStore
from daftray.metrics.accounts import Accounts

GATHER_S = 0.05
"""How long reports are gathered before they are written together."""

_Attempt = tuple[str, int]
_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class UsageIngest:
    """Group commit for counters. Start it inside a running event loop; `close` writes what is left."""

    def __init__(
        self, *, reports: ReportStore, runs: RunStore, accounts: Accounts, gather_s: float = GATHER_S
    ) -> None:
        self._reports = reports
        self._runs = runs
        self._accounts = accounts
        self._gather_s = gather_s
        self._pending: dict[_Attempt, _Batch] = {}
        self._task: asyncio.Task[None] | None = None

    async def add(self, run_id: str, attempt: int, counters: list[Counter]) -> None:
        """Keep counters of an attempt; return when they are in the database."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())
        batch = self._pending.setdefault((run_id, attempt), _Batch())
        batch.fold(counters)
        await asyncio.shield(batch.written)

    async def close(self) -> None:
        """Wait for the last write."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_soon(self) -> None:
        """Write until nothing is left: one writer, so that no older sum of a run replaces a newer one."""
        while self._pending:
            await asyncio.sleep(self._gather_s)
            batches, self._pending = self._pending, {}
            for (run_id, attempt), batch in batches.items():
                await self._write(run_id, attempt, batch)

    async def _write(self, run_id: str, attempt: int, batch: _Batch) -> None:
        try:
            await self._reports.count(run_id, attempt, list(batch.folded.values()))
            await self._runs.save_usage(run_id, (await self._accounts.of(run_id)).summary())
        except Exception as exc:  # noqa: BLE001 (each waiting request answers with it; the runner sends again)
            batch.written.set_exception(exc)
            batch.written.exception()  # nobody may be waiting any more
        else:
            batch.written.set_result(None)


class _Batch:
    """What came in of one attempt. Its own to fail: a bad report of one run must not cost another's."""

    def __init__(self) -> None:
        self.folded: dict[_Key, Counter] = {}
        self.written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fold(self, counters: list[Counter]) -> None:
        for counter in counters:
            key = (counter.process, counter.metric, tuple(sorted(counter.attributes.items())))
            known = self.folded.get(key)
            if known is None or counter.value > known.value:
                self.folded[key] = counter
