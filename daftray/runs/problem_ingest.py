"""Takes in the exceptions that runs report while they go on: many small reports become few writes.

No secret's value is kept of what they say. A report is answered once it is in the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from daftray.domain.ports import ProblemStore, RunStore
from daftray.domain.principal import RunPrincipal
from daftray.domain.problem import ProblemReport
from daftray.logs.masking import Mask
from daftray.metrics.problem_records import is_foreign
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.masking import masked_problem

GATHER_S = 0.05
"""How long reports are gathered before they are written together."""
MOST_FOREIGN = 10_000
"""Exceptions that are counted one by one, of an attempt: each of them is a row."""
_MOST_TALLIES = 10_000

log = logging.getLogger(__name__)
_Attempt = tuple[str, int]


class ProblemIngest:
    """Group commit for problems. `close` writes what is left."""

    def __init__(
        self, *, problems: ProblemStore, runs: RunStore, secrets: ProjectSecrets, gather_s: float = GATHER_S
    ) -> None:
        self._problems = problems
        self._runs = runs
        self._secrets = secrets
        self._gather_s = gather_s
        self._pending: dict[_Attempt, _Batch] = {}
        self._foreign: dict[_Attempt, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def add(self, reporter: RunPrincipal, reports: Sequence[ProblemReport]) -> None:
        """Keep problems of an attempt; return when they are in the database."""
        kept = self._within_bound((reporter.run, reporter.attempt), reports)
        if not kept:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())
        batch = self._pending.setdefault((reporter.run, reporter.attempt), _Batch())
        batch.reports += kept
        await asyncio.shield(batch.written)

    async def close(self) -> None:
        """Wait for the last write."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _within_bound(self, of: _Attempt, reports: Sequence[ProblemReport]) -> list[ProblemReport]:
        """Return the reports without those of single exceptions that are too many."""
        seen = self._foreign.get(of, 0)
        room = max(0, MOST_FOREIGN - seen)
        foreign = [report for report in reports if is_foreign(report)]
        if foreign:
            if len(self._foreign) >= _MOST_TALLIES:
                self._foreign.pop(next(iter(self._foreign)))
            self._foreign[of] = seen + len(foreign)
        if len(foreign) > room and seen <= MOST_FOREIGN:
            log.warning("too many foreign exceptions", extra={"action": "problems", "run": of[0]})
        return [report for report in reports if not is_foreign(report)] + foreign[:room]

    async def _write_soon(self) -> None:
        while self._pending:
            await asyncio.sleep(self._gather_s)
            batches, self._pending = self._pending, {}
            for (run_id, attempt), batch in batches.items():
                await self._write(run_id, attempt, batch)

    async def _write(self, run_id: str, attempt: int, batch: _Batch) -> None:
        try:
            secrets = await self._secrets.of_run(await self._runs.get(run_id))
            kept = await asyncio.to_thread(_covered, batch.reports, secrets.values())
            await self._problems.fold(run_id, attempt, kept)
        except Exception as exc:  # noqa: BLE001 (each waiting request answers with it; the runner sends again)
            batch.written.set_exception(exc)
            batch.written.exception()  # nobody may be waiting any more
        else:
            batch.written.set_result(None)


def _covered(reports: Sequence[ProblemReport], secrets: Iterable[str]) -> list[ProblemReport]:
    mask = Mask(secrets)
    return [masked_problem(report, mask) for report in reports]


class _Batch:
    """What came in of one attempt. Its own to fail: a bad report of one run must not cost another's."""

    def __init__(self) -> None:
        self.reports: list[ProblemReport] = []
        self.written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
