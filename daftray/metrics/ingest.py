"""Folds runs' counters in: many small reports become few writes, and a report is answered once it is kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from daftray.domain.counters import Counter
from daftray.domain.metrics import UsageSummary
from daftray.domain.ports import ReportStore, RunStore
from daftray.metrics.accounts import Accounts
from daftray.metrics.pacing import Pacing

GATHER_S = 0.05
"""How long reports are gathered before they are written together, at least."""
LONGEST_GATHER_S = 1.0
_PAUSE_PER_WRITING = 3
"""The database is written to for a quarter of the time at most, so that runs and people get their turns."""
_MOST_SAMPLED = 10_000
"""Runs of which it is known when their series has room again."""

_Attempt = tuple[str, int]
_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class UsageIngest:
    """Group commit for counters. Start it inside a running event loop; `close` writes what is left."""

    def __init__(
        self,
        *,
        reports: ReportStore,
        runs: RunStore,
        accounts: Accounts,
        pacing: Pacing,
        gather_s: float = GATHER_S,
    ) -> None:
        self._reports = reports
        self._runs = runs
        self._accounts = accounts
        self._pacing = pacing
        self._gather_s = gather_s
        self._sampled_until = OrderedDict[str, float]()
        self._pending: dict[_Attempt, _Batch] = {}
        self._task: asyncio.Task[None] | None = None

    async def add(self, run_id: str, attempt: int, counters: list[Counter]) -> float:
        """Keep counters of an attempt; return when they are in the database.

        Returns how many seconds the process is to gather for before it reports again, 0 for as it likes.
        """
        if not counters:
            return 0.0
        again_in_s = self._pacing.after(f"{run_id}/{counters[0].process}")
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())
        batch = self._pending.setdefault((run_id, attempt), _Batch())
        batch.fold(counters)
        await asyncio.shield(batch.written)
        return again_in_s

    async def close(self) -> None:
        """Wait for the last write."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_soon(self) -> None:
        """Write until nothing is left: one writer, so that no older sum of a run replaces a newer one."""
        loop, pause_s = asyncio.get_running_loop(), self._gather_s
        while self._pending:
            await asyncio.sleep(pause_s)
            began = loop.time()
            batches, self._pending = self._pending, {}
            for (run_id, attempt), batch in batches.items():
                await self._write(run_id, attempt, batch)
            pause_s = max(self._gather_s, min(_PAUSE_PER_WRITING * (loop.time() - began), LONGEST_GATHER_S))

    async def _write(self, run_id: str, attempt: int, batch: _Batch) -> None:
        try:
            await self._reports.count(run_id, attempt, list(batch.folded.values()))
            used = await self._accounts.note(run_id, self._runs)
            await self._sample(run_id, used.summary())
        except Exception as exc:  # noqa: BLE001 (each waiting request answers with it; the runner sends again)
            batch.written.set_exception(exc)
            batch.written.exception()  # nobody may be waiting any more
        else:
            batch.written.set_result(None)

    async def _sample(self, run_id: str, usage: UsageSummary) -> None:
        """Note what the run has used by now in its series, where that has room."""
        now = asyncio.get_running_loop().time()
        if now < self._sampled_until.get(run_id, now):
            return
        series = await self._reports.sample(run_id, usage)
        self._sampled_until[run_id] = now + series.step_s
        self._sampled_until.move_to_end(run_id)
        if len(self._sampled_until) > _MOST_SAMPLED:
            self._sampled_until.popitem(last=False)


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
