"""Runs in memory. Ids sort by time, so a list in the order of ids is a list in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import fake_queue
from fake_memory import Memory, RunRecord
from msgspec.structs import asdict, replace

from daftray.domain.errors import (
    ConflictError,
    IdempotencyConflictError,
    ProjectNotFoundError,
    RunNotFoundError,
    StaleClaimError,
)
from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.metrics import UsageSummary
from daftray.domain.ports import Claim, NewRun, RunQuery
from daftray.domain.queue import ClusterLoad, ClusterQueue, QueuePlace
from daftray.domain.run import Attempt, Run, RunEvent
from daftray.domain.spec import RunSpec
from daftray.domain.status import RunPhase

_KEPT_BY_SAVE = (
    *RunSpec.__struct_fields__,
    *("id", "project", "trigger", "task", "rerun_of", "created_by", "created_at", "usage"),
)


class InMemoryRunStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._records = self._memory.runs

    async def add(self, *new: NewRun, key: IdempotencyKey | None = None) -> tuple[str, ...]:
        if key is not None and (earlier := await self.added_under(key)) is not None:
            return earlier
        for one in new:
            if self._memory.strict and one.run.project not in self._memory.projects:
                raise ProjectNotFoundError
            if one.run.id in self._records:
                raise ConflictError("There is a run of that id already.")
        for one in new:
            due_at = None if one.run.status.terminal else self._now()
            self._records[one.run.id] = RunRecord(run=one.run, due_at=due_at, events=[one.event])
            for secret in one.secrets:
                self._memory.secrets[secret.owner, secret.name] = secret
        ids = tuple(one.run.id for one in new)
        if key is not None:
            self._memory.keys_used[key.project, key.key] = (key.digest, ids)
            self._memory.keys_made_at[key.project, key.key] = self._now()
        return ids

    async def added_under(self, key: IdempotencyKey) -> tuple[str, ...] | None:
        digest, ids = self._memory.keys_used.get((key.project, key.key), (key.digest, None))
        if not key.fits(digest):
            raise IdempotencyConflictError
        return ids

    async def get(self, run_id: str) -> Run:
        return self._record(run_id).run

    async def project_of(self, run_id: str) -> str | None:
        record = self._records.get(run_id)
        return record.run.project if record else None

    async def list(self, query: RunQuery) -> list[Run]:
        found = [record.run for record in self._newest_first() if _matches(record.run, query)]
        return found[query.offset : query.offset + query.limit]

    async def latest_of_tasks(self, project: str, tasks: Sequence[str], *, each: int) -> dict[str, list[Run]]:
        return {task: await self.list(RunQuery(project=project, task=task, limit=each)) for task in tasks}

    async def events(self, run_id: str) -> list[RunEvent]:
        record = self._records.get(run_id)
        return [*record.events] if record else []

    async def request_cancel(self, run_id: str) -> Run:
        record, now = self._record(run_id), self._now()
        if record.due_at is not None and record.run.cancel_requested_at is None:
            record.run = replace(record.run, cancel_requested_at=now)
            record.due_at = min(record.due_at, now)
        return record.run

    async def claim_due(self, claim: Claim, *, limit: int) -> list[Run]:
        now = self._now()
        due = [
            (record.due_at, run_id, record)
            for run_id, record in self._records.items()
            if record.due_at is not None and record.due_at <= now and record.is_free(now)
        ]
        taken = [record for _, _, record in sorted(due, key=lambda one: one[:2])[:limit]]
        return [self._hold(claim, record) for record in taken]

    def _hold(self, claim: Claim, record: RunRecord) -> Run:
        record.token = claim.token
        record.due_at = record.expires_at = self._now() + claim.lease
        return record.run

    async def renew(self, claim: Claim, run_ids: Sequence[str]) -> None:
        for record in self._held(claim, run_ids):
            woken = record.woken
            record.expires_at = self._now() + claim.lease
            if not woken and record.due_at is not None:
                record.due_at = record.expires_at

    async def save(self, run: Run, events: Sequence[RunEvent], claim: Claim) -> None:
        record = self._records.get(run.id)
        if (
            record is None
            or record.token != claim.token
            or record.run.cancel_requested_at != run.cancel_requested_at
            or (record.due_at is None and record.run.status is not run.status)
        ):
            raise StaleClaimError
        if run.status.terminal and record.due_at is not None:
            self._memory.ended.append((run, record.run.usage))
        record.run = _saved(record.run, run)
        record.events.extend(events)
        if run.status.terminal:
            record.due_at = None

    async def save_log_size(self, run_id: str, attempt: int, size: int, claim: Claim) -> None:
        for record in self._held(claim, [run_id]):
            known = {one.number: one for one in record.run.attempts}
            one = known.get(attempt, Attempt(number=attempt, submission_id=f"{run_id}-{attempt}"))
            known[attempt] = replace(one, log_size=max(one.log_size, size))
            record.run = replace(record.run, attempts=_in_order(known))
            return
        raise StaleClaimError

    async def save_usage(self, run_id: str, usage: UsageSummary) -> None:
        if run_id in self._records:
            record = self._records[run_id]
            record.run = replace(record.run, usage=usage)

    async def release(self, run_id: str, claim: Claim, *, due_in: timedelta) -> None:
        due_at = self._now() + due_in
        for record in self._held(claim, [run_id]):
            if record.due_at is not None:
                record.due_at = min(record.due_at, due_at) if record.woken else due_at
            record.token = record.expires_at = None

    async def admit(
        self,
        claim: Claim,
        cluster: str,
        *,
        choose: Callable[[ClusterQueue], Sequence[str]],
        ahead: int,
    ) -> list[Run]:
        now = self._now()
        admitted: list[Run] = []
        waiting = fake_queue.waiting(self._records, cluster, now)
        for run_id in choose(fake_queue.queue_of(self._memory, cluster, now, ahead)):
            if run_id in waiting:
                record = self._records[run_id]
                record.run, event = record.run.advance(RunPhase.PREPARING, now)
                record.events.append(event)
                admitted.append(self._hold(claim, record))
        return admitted

    async def any_queued(self, cluster: str) -> bool:
        return any(run.phase is RunPhase.QUEUED and run.cluster == cluster for run in self._live())

    async def queue_place(self, run: Run) -> QueuePlace:
        return fake_queue.place_of(run, self._live())

    async def load(self, cluster: str) -> ClusterLoad:
        return fake_queue.load_of(self._memory, cluster)

    def _now(self) -> datetime:
        return self._memory.clock.now()

    def _record(self, run_id: str) -> RunRecord:
        if run_id not in self._records:
            raise RunNotFoundError(f"There is no run {run_id}.")
        return self._records[run_id]

    def _newest_first(self) -> list[RunRecord]:
        return [self._records[run_id] for run_id in sorted(self._records, reverse=True)]

    def _live(self) -> list[Run]:
        return [record.run for record in self._records.values() if record.due_at is not None]

    def _held(self, claim: Claim, run_ids: Sequence[str]) -> list[RunRecord]:
        found = [self._records[run_id] for run_id in run_ids if run_id in self._records]
        return [record for record in found if record.token == claim.token]


def _matches(run: Run, query: RunQuery) -> bool:
    return (
        run.project == query.project
        and query.status in {None, run.status}
        and query.trigger in {None, run.trigger}
        and query.task in {None, run.task}
        and query.labels.items() <= run.labels.items()
        and (query.before is None or run.id < query.before)
        and (query.created_after is None or run.created_at > query.created_after)
        and (query.created_before is None or run.created_at < query.created_before)
        and _holds(run, query.text)
    )


def _holds(run: Run, text: str | None) -> bool:
    places = (run.name, run.entrypoint.label, run.commit)
    return not text or any(text.casefold() in (place or "").casefold() for place in places)


def _saved(before: Run, after: Run) -> Run:
    """Return what a save leaves: the caller's run, but for what a save does not write."""
    known = {attempt.number: attempt for attempt in before.attempts}
    for attempt in after.attempts:
        older = known.get(attempt.number, attempt)
        known[attempt.number] = replace(
            attempt,
            log_size=max(attempt.log_size, older.log_size),
            log_removed_at=older.log_removed_at or attempt.log_removed_at,
        )
    fields = asdict(before)
    return replace(after, attempts=_in_order(known), **{name: fields[name] for name in _KEPT_BY_SAVE})


def _in_order(attempts: dict[int, Attempt]) -> tuple[Attempt, ...]:
    return tuple(attempts[number] for number in sorted(attempts))
