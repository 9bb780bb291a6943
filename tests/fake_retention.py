"""What retention needs of the database, over the same memory as the stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from fake_memory import Memory, RunRecord
from fake_stores import forget_owners
from msgspec.structs import replace

from daftray.domain.retention import Holdings, Kept, Kind, LiveSource, SubmittedAttempt, kept_digests


class InMemoryRetentionStore:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def holdings(self, kind: Kind, *, after: Kept | None = None, limit: int) -> Holdings:
        kept = self._kept(kind)
        ended = sorted((one for one in kept if self._memory.has_ended(one.run)), key=_age)
        behind = [one for one in ended if after is None or _age(one) > _age(after)]
        return Holdings(
            now=self._memory.clock.now(),
            total=sum(one.size for one in kept) + self._of_attempts_that_go_on(kind),
            oldest=tuple(behind[:limit]),
        )

    async def remove(
        self,
        kind: Kind,
        choose: Callable[[Holdings], Sequence[Kept]],
        *,
        blobs: Callable[[Kept], str],
        limit: int,
    ) -> list[Kept]:
        chosen = list(choose(await self.holdings(kind, limit=limit)))
        for one in chosen:
            self._mark(kind, one)
            self._memory.removals.add(blobs(one))
        return chosen

    async def pending(self, *, limit: int) -> list[str]:
        return sorted(self._memory.removals)[:limit]

    async def gone(self, keys: Sequence[str]) -> None:
        self._memory.removals.difference_update(keys)

    async def old_runs(self, older_than: timedelta) -> tuple[int, int]:
        return self._described(self._old(older_than))

    async def remove_runs(
        self, older_than: timedelta, *, blobs: Callable[[str], str], limit: int
    ) -> tuple[int, int]:
        ids = self._old(older_than)[:limit]
        told = self._described(ids)
        for run_id in ids:
            del self._memory.runs[run_id]
            self._memory.removals.add(blobs(run_id))
        forget_owners(self._memory, set(ids))
        return told

    async def old_keys(self, older_than: timedelta) -> int:
        return len(self._old_keys(older_than))

    async def forget_keys(self, older_than: timedelta, *, limit: int) -> int:
        gone = self._old_keys(older_than)[:limit]
        for key in gone:
            del self._memory.keys_used[key]
            del self._memory.keys_made_at[key]
        return len(gone)

    def _kept(self, kind: Kind) -> list[Kept]:
        memory = self._memory
        if kind == "results":
            return [
                Kept(
                    run=run_id,
                    attempt=number,
                    size=result.kept_size,
                    since=memory.results_came_at[run_id, number],
                )
                for (run_id, number), result in memory.results.items()
                if result.removed_at is None
            ]
        return [
            Kept(run=run_id, attempt=one.number, size=one.log_size, since=one.ended_at)
            for run_id, record in memory.runs.items()
            for one in record.run.attempts
            if one.log_removed_at is None and one.log_size and one.ended_at is not None
        ]

    def _of_attempts_that_go_on(self, kind: Kind) -> int:
        if kind == "results":
            return 0
        attempts = [one for record in self._memory.runs.values() for one in record.run.attempts]
        return sum(one.log_size for one in attempts if one.ended_at is None and one.log_removed_at is None)

    def _mark(self, kind: Kind, one: Kept) -> None:
        now = self._memory.clock.now()
        if kind == "results":
            key = (one.run, one.attempt)
            self._memory.results[key] = self._memory.results[key].emptied(now)
            return
        record = self._memory.runs[one.run]
        marked = [
            replace(each, log_removed_at=now) if each.number == one.attempt else each
            for each in record.run.attempts
        ]
        record.run = replace(record.run, attempts=tuple(marked))

    def _old(self, older_than: timedelta) -> list[str]:
        before = self._memory.clock.now() - older_than
        return sorted(
            run_id
            for run_id, record in self._memory.runs.items()
            if record.due_at is None and record.run.completed_at and record.run.completed_at <= before
        )

    def _old_keys(self, older_than: timedelta) -> list[tuple[str, str]]:
        made, before = self._memory.keys_made_at, self._memory.clock.now() - older_than
        return sorted((key for key, at in made.items() if at <= before), key=lambda key: made[key])

    def _described(self, run_ids: list[str]) -> tuple[int, int]:
        kept = [*self._kept("logs"), *self._kept("results")]
        return len(run_ids), sum(one.size for one in kept if one.run in run_ids)


class InMemoryBlobOwners:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def identity(self, candidate: str) -> str:
        self._memory.identity = self._memory.identity or candidate
        return self._memory.identity

    async def unknown_runs(self, run_ids: Sequence[str]) -> set[str]:
        return set(run_ids) - self._memory.runs.keys()

    async def needed_sources(self, project: str, digests: Sequence[str]) -> set[str]:
        runs = [record.run for record in self._memory.runs.values() if record.run.project == project]
        return set(digests) & set[str]().union(*(kept_digests(run.source) for run in runs))

    async def live_sources(self) -> list[LiveSource]:
        runs = [record.run for record in self._memory.runs.values() if record.due_at is not None]
        return [
            LiveSource(project=run.project, commit=run.commit, git=run.source.git)
            for run in runs
            if run.source.git is not None
        ]


class InMemorySubmittedJobs:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def attempts(
        self, cluster: str, asked: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], SubmittedAttempt]:
        known = {(run_id, number): self._memory.runs.get(run_id) for run_id, number in asked}
        return {
            (run_id, number): self._told(record, number)
            for (run_id, number), record in known.items()
            if record is not None and record.run.cluster == cluster and number <= record.run.attempt
        }

    def _told(self, record: RunRecord, number: int) -> SubmittedAttempt:
        run, now = record.run, self._memory.clock.now()
        over = record.due_at is None or number < run.attempt
        ends = [one.ended_at for one in run.attempts if one.number == number]
        ended = next(iter(ends), None) or run.completed_at or now
        return SubmittedAttempt(run=run.id, attempt=number, over_for=now - ended if over else None)


def _age(kept: Kept) -> tuple[object, ...]:
    return (kept.since, kept.run, kept.attempt)
