"""Prices, and the counts of all runs together, in memory."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from fake_memory import Memory

from daftray.domain.errors import PricesNotFoundError, ProjectNotFoundError
from daftray.domain.metrics import UsageSummary
from daftray.domain.price import PriceTable, PriceTableRequest, in_force
from daftray.domain.status import RunPhase
from daftray.domain.tally import (
    PHASE_SECONDS,
    EndedRuns,
    LiveRuns,
    PhaseTimes,
    ProjectUsage,
    Silence,
    Tallies,
    bucket_of,
    project_label,
)


class InMemoryPriceStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()

    async def add(
        self, project_id: str, request: PriceTableRequest, *, created_by: str, created_at: datetime
    ) -> PriceTable:
        if self._memory.strict and project_id not in self._memory.projects:
            raise ProjectNotFoundError
        versions = self._memory.prices.setdefault(project_id, [])
        if versions and versions[-1].prices == tuple(request.prices):
            return versions[-1]
        table = PriceTable(
            version=len(versions) + 1,
            prices=tuple(request.prices),
            note=request.note,
            created_by=created_by,
            created_at=created_at,
        )
        versions.append(table)
        return table

    async def latest(self, project_id: str) -> PriceTable | None:
        return next(iter(await self.list(project_id, limit=1, offset=0)), None)

    async def get(self, project_id: str, version: int) -> PriceTable:
        for table in self._memory.prices.get(project_id, []):
            if table.version == version:
                return table
        raise PricesNotFoundError

    async def list(self, project_id: str, *, limit: int, offset: int) -> list[PriceTable]:
        return self._memory.prices.get(project_id, [])[::-1][offset : offset + limit]

    async def of_run(self, run_id: str) -> PriceTable | None:
        record = self._memory.runs.get(run_id)
        if record is None:
            return None
        return in_force(self._memory.prices.get(record.run.project, []), record.run.created_at)


class InMemoryTallyStore:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def read(self) -> Tallies:
        return Tallies(
            ended=self._ended(),
            live=self._live(),
            silent=self._silent(),
            usage=self._usage(),
            phases=self._phases(),
        )

    def _names(self) -> dict[str, str]:
        workspaces = {one.id: one.name for one in self._memory.workspaces.values()}
        return {
            one.id: project_label(one.name, one.workspace, workspaces.get(one.workspace))
            for one in self._memory.projects.values()
        }

    def _ended(self) -> tuple[EndedRuns, ...]:
        names = self._names()
        counts = Counter(
            (names[run.project], run.status, run.reason)
            for run, _ in self._memory.ended
            if run.project in names
        )
        return tuple(
            EndedRuns(project=project, status=status, reason=reason, count=counts[project, status, reason])
            for project, status, reason in sorted(counts, key=lambda key: (key[0], key[1], key[2] or ""))
        )

    def _live(self) -> tuple[LiveRuns, ...]:
        names, now = self._names(), self._memory.clock.now()
        since: dict[tuple[str, RunPhase], list[datetime]] = {}
        for record in self._memory.runs.values():
            if record.due_at is not None:
                run = record.run
                since.setdefault((names[run.project], run.phase), []).append(run.phase_since)
        return tuple(
            LiveRuns(
                project=project,
                phase=phase,
                count=len(times),
                oldest_s=max(0.0, (now - min(times)).total_seconds()),
            )
            for (project, phase), times in sorted(since.items())
        )

    def _silent(self) -> tuple[Silence, ...]:
        names, now = self._names(), self._memory.clock.now()
        longest: dict[str, float] = {}
        for record in self._memory.runs.values():
            run = record.run
            reports = self._memory.reports.get((run.id, run.attempt))
            if record.due_at is None or run.phase is not RunPhase.RUNNING or reports is None:
                continue
            heard = max(reports.heard_at or run.phase_since, run.phase_since)
            name = names[run.project]
            longest[name] = max(longest.get(name, 0.0), (now - heard).total_seconds())
        return tuple(Silence(project=name, longest_s=longest[name]) for name in sorted(longest))

    def _usage(self) -> tuple[ProjectUsage, ...]:
        ended = [(run.project, usage) for run, usage in self._memory.ended]
        records = self._memory.runs.values()
        live = [(one.run.project, one.run.usage) for one in records if one.due_at is not None]
        return tuple(
            _sum_of(name, [usage for of, usage in ended + live if of == project and usage])
            for project, name in sorted(self._names().items(), key=lambda one: one[1])
        )

    def _phases(self) -> tuple[PhaseTimes, ...]:
        counts: dict[str, list[int]] = {}
        seconds: Counter[str] = Counter()
        for run, _ in self._memory.ended:
            for phase, took in run.timings.items():
                counts.setdefault(phase, [0] * (len(PHASE_SECONDS) + 1))[bucket_of(took)] += 1
                seconds[phase] += took  # type: ignore[assignment] (a counter of seconds)
        return tuple(
            PhaseTimes(phase=RunPhase(phase), counts=tuple(counts[phase]), seconds=seconds[phase])
            for phase in sorted(counts)
        )


def _sum_of(project: str, used: list[UsageSummary]) -> ProjectUsage:
    return ProjectUsage(
        project=project,
        requests=sum(one.requests or 0.0 for one in used),
        tokens_in=sum(one.tokens_in or 0.0 for one in used),
        tokens_out=sum(one.tokens_out or 0.0 for one in used),
        cpu_seconds=sum(one.cpu_seconds or 0.0 for one in used),
        cost=sum(one.cost_at_least or 0.0 for one in used),
    )
