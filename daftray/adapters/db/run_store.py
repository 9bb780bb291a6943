"""Runs, their attempts and their history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import claims, idempotency, new_runs, queue, run_list, run_rows, tallies
from daftray.adapters.db.columns import moment
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert, lock_cluster
from daftray.adapters.db.rows import AttemptRow, RunEventRow, RunRow
from daftray.domain.errors import RunNotFoundError, StaleClaimError
from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.metrics import UsageSummary
from daftray.domain.ports import Claim, NewRun, RunQuery
from daftray.domain.queue import ClusterLoad, ClusterQueue, QueuePlace
from daftray.domain.run import Attempt, Run, RunEvent
from daftray.domain.status import RunPhase


class SqlRunStore:
    """The `RunStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, *new: NewRun, key: IdempotencyKey | None = None) -> tuple[str, ...]:
        """Keep new runs of one project, all or none. What it raises is said at the port."""
        run_ids = tuple(one.run.id for one in new)
        async with self._database.writing() as session:
            for project_id in sorted({one.run.project for one in new}):
                await new_runs.hold_project(session, project_id)
            now = await self._database.now(session)
            if key is not None:
                earlier = await idempotency.take(session, key, run_ids, now=now)
                if earlier is not None:
                    return earlier
            await new_runs.add(session, new, now=now)
        return run_ids

    async def added_under(self, key: IdempotencyKey) -> tuple[str, ...] | None:
        """Return the ids of the runs that were added under a key. Raises `IdempotencyConflictError`."""
        async with self._database.reading() as session:
            return await idempotency.find(session, key)

    async def get(self, run_id: str) -> Run:
        """Return a run. Raises `RunNotFoundError`."""
        async with self._database.reading() as session:
            return await _get(session, run_id)

    async def project_of(self, run_id: str) -> str | None:
        """Return the id of a run's project, if there is such a run."""
        async with self._database.reading() as session:
            return await session.scalar(select(RunRow.project).where(RunRow.id == run_id))

    async def list(self, query: RunQuery) -> list[Run]:
        """Return at most ``query.limit`` runs, newest first."""
        async with self._database.reading() as session:
            return await _in_order(session, await run_list.page(session, query))

    async def latest_of_tasks(self, project: str, tasks: Sequence[str], *, each: int) -> dict[str, list[Run]]:
        """Return the newest runs of each of some tasks, by the tasks' ids."""
        async with self._database.reading() as session:
            ids = await run_list.latest_of_tasks(session, project, tasks, each=each)
            runs = {
                run.id: run for run in await _in_order(session, [one for of in ids.values() for one in of])
            }
        return {task: [runs[one] for one in of if one in runs] for task, of in ids.items()}

    async def events(self, run_id: str) -> list[RunEvent]:
        """Return a run's history, oldest first."""
        async with self._database.reading() as session:
            found = await session.scalars(
                select(RunEventRow.event).where(RunEventRow.run_id == run_id).order_by(RunEventRow.seq)
            )
            return list(found)

    async def request_cancel(self, run_id: str) -> Run:
        """Note that a run is to be cancelled, and make it due."""
        async with self._database.writing() as session:
            now = await self._database.now(session)
            await session.execute(
                update(RunRow)
                .where(
                    RunRow.id == run_id,
                    RunRow.due_at.is_not(None),
                    RunRow.cancel_requested_at.is_(None),
                )
                .values(
                    cancel_requested_at=now,
                    due_at=case((RunRow.due_at < now, RunRow.due_at), else_=moment(now)),
                )
            )
            return await _get(session, run_id)

    async def claim_due(self, claim: Claim, *, limit: int) -> list[Run]:
        """Claim due runs, oldest first."""
        async with self._database.writing() as session:
            now = await self._database.now(session)
            return await _in_order(session, await claims.take(session, claim, now=now, limit=limit))

    async def renew(self, claim: Claim, run_ids: Sequence[str]) -> None:
        """Hold claimed runs for another lease."""
        async with self._database.writing() as session:
            await claims.renew(session, claim, run_ids, now=await self._database.now(session))

    async def release(self, run_id: str, claim: Claim, *, due_in: timedelta) -> None:
        """Give a claimed run back."""
        async with self._database.writing() as session:
            due_at = await self._database.now(session) + due_in
            await claims.release(session, run_id, claim, due_at=due_at)

    async def save(self, run: Run, events: Sequence[RunEvent], claim: Claim) -> None:
        """Write a claimed run and its new events. Raises `StaleClaimError`."""
        # A run that has ended stays as it ended, even for a holder that was late and took it again.
        open_or_the_same = or_(RunRow.due_at.is_not(None), RunRow.status == run.status)
        async with self._database.writing() as session:
            ending = await _before_its_end(session, run, claim)
            written = await session.scalars(
                update(RunRow)
                .where(
                    RunRow.id == run.id,
                    claims.held(claim),
                    RunRow.cancel_requested_at.is_not_distinct_from(run.cancel_requested_at),
                    open_or_the_same,
                )
                .values(run_rows.changed_values(run))
                .returning(RunRow.id)
            )
            if written.one_or_none() is None:
                raise StaleClaimError
            await _write_attempts(session, run.id, run.attempts)
            await _append(session, run.id, events)
            if ending is not None:
                await tallies.note_end(session, run, *ending)

    async def save_log_size(self, run_id: str, attempt: int, size: int, claim: Claim) -> None:
        """Note how much of an attempt's log is archived; it never shrinks. Raises `StaleClaimError`."""
        async with self._database.writing() as session:
            holds = select(RunRow.id).where(RunRow.id == run_id, claims.held(claim)).with_for_update()
            if await session.scalar(holds) is None:
                raise StaleClaimError
            known = Attempt(number=attempt, submission_id=f"{run_id}-{attempt}", log_size=size)
            await _write_attempts(session, run_id, [known], only=("log_size",))

    async def save_usage(self, run_id: str, usage: UsageSummary) -> None:
        """Note a run's usage."""
        async with self._database.writing() as session:
            await session.execute(update(RunRow).where(RunRow.id == run_id).values(usage=usage))

    async def admit(
        self,
        claim: Claim,
        cluster: str,
        *,
        choose: Callable[[ClusterQueue], Sequence[str]],
        ahead: int,
    ) -> list[Run]:
        """Give places to the queued runs that ``choose`` names, and claim them."""
        async with self._database.writing() as session:
            await lock_cluster(session, cluster)
            now = await self._database.now(session)
            chosen = choose(await queue.queue_of(session, cluster, now=now, ahead=ahead))
            ids = await claims.lock_waiting(session, chosen, now=now)
            admitted: list[Run] = []
            for run in await _in_order(session, ids):
                after, event = run.advance(RunPhase.PREPARING, now)
                values = run_rows.changed_values(after)
                await session.execute(update(RunRow).where(RunRow.id == run.id).values(values))
                await _append(session, run.id, [event])
                admitted.append(after)
            await claims.hold(session, claim, ids, now=now)
        return admitted

    async def any_queued(self, cluster: str) -> bool:
        """Tell whether a run is queued before that cluster."""
        async with self._database.reading() as session:
            return await queue.any_queued(session, cluster)

    async def queue_place(self, run: Run) -> QueuePlace:
        """Return where a queued run stands."""
        async with self._database.reading() as session:
            return await queue.place_of(session, run)

    async def load(self, cluster: str) -> ClusterLoad:
        """Return how many runs that cluster has, and how many wait for it."""
        async with self._database.reading() as session:
            return await queue.load_of(session, cluster)


async def _get(session: AsyncSession, run_id: str) -> Run:
    row = await session.scalar(select(RunRow).where(RunRow.id == run_id))
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id}.")
    return run_rows.run_of(row)


async def _before_its_end(session: AsyncSession, run: Run, claim: Claim) -> tuple[UsageSummary | None] | None:
    """Lock a run that a save ends and return what it has used; nothing where it has ended already."""
    if not run.status.terminal:
        return None
    open_ = select(RunRow.usage).where(RunRow.id == run.id, claims.held(claim), RunRow.due_at.is_not(None))
    row = (await session.execute(open_.with_for_update())).one_or_none()
    return None if row is None else (row.usage,)


async def _in_order(session: AsyncSession, run_ids: Sequence[str]) -> list[Run]:
    if not run_ids:
        return []
    rows = await session.scalars(select(RunRow).where(RunRow.id.in_(run_ids)))
    by_id = {row.id: run_rows.run_of(row) for row in rows}
    return [by_id[run_id] for run_id in run_ids]


async def _append(session: AsyncSession, run_id: str, events: Sequence[RunEvent]) -> None:
    """Add events at the end. The caller's write to the run's row keeps other writers out."""
    if not events:
        return
    last = await session.scalar(select(func.max(RunEventRow.seq)).where(RunEventRow.run_id == run_id))
    rows = [
        {"run_id": run_id, "seq": seq, "event": event} for seq, event in enumerate(events, (last or 0) + 1)
    ]
    await session.execute(insert(session, RunEventRow), rows)


async def _write_attempts(
    session: AsyncSession, run_id: str, attempts: Sequence[Attempt], *, only: tuple[str, ...] = ()
) -> None:
    """Write attempts, or ``only`` some columns of those that are there. What is archived never shrinks."""
    if not attempts:
        return
    rows = [{"run_id": run_id, **asdict(attempt)} for attempt in attempts]
    statement = insert(session, AttemptRow)
    new = statement.excluded
    changes: dict[str, ColumnElement[Any]] = {  # Any: columns of every type
        name: new[name] for name in only or Attempt.__struct_fields__ if name != "number"
    }
    if "log_removed_at" in changes:  # retention wrote it; a late writer's copy may be older
        changes["log_removed_at"] = func.coalesce(AttemptRow.log_removed_at, new.log_removed_at)
    changes["log_size"] = case((AttemptRow.log_size > new.log_size, AttemptRow.log_size), else_=new.log_size)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "number"], set_=changes), rows
    )
