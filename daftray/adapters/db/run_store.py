"""Runs, their attempts and their history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import claims, run_rows
from daftray.adapters.db.columns import moment
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.rows import AttemptRow, ProjectRow, RunEventRow, RunLabelRow, RunRow, SecretRow
from daftray.adapters.db.run_list import listing
from daftray.domain.errors import ConflictError, ProjectNotFoundError, RunNotFoundError, StaleClaimError
from daftray.domain.metrics import UsageSummary
from daftray.domain.ports import Claim, RunQuery
from daftray.domain.project import SealedSecret
from daftray.domain.run import Attempt, Run, RunEvent
from daftray.domain.status import ON_CLUSTER, RunPhase


class SqlRunStore:
    """The `RunStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, run: Run, event: RunEvent, *, secrets: Sequence[SealedSecret] = ()) -> None:
        """Keep a new run. Raises `ProjectNotFoundError`; `ConflictError` where its id is taken."""
        async with self._database.writing() as session:
            # Its lock keeps the project from going while its run comes.
            project = select(ProjectRow.id).where(ProjectRow.id == run.project)
            if await session.scalar(project.with_for_update(read=True, key_share=True)) is None:
                raise ProjectNotFoundError
            try:
                await session.execute(insert(session, RunRow).values(run_rows.new_values(run)))
            except IntegrityError as error:
                raise ConflictError(f"There is a run {run.id} already.") from error
            await _write_attempts(session, run.id, run.attempts)
            await _append(session, run.id, [event])
            labels = [
                {"run_id": run.id, "project": run.project, "key": key, "value": value}
                for key, value in run.labels.items()
            ]
            if labels:
                await session.execute(insert(session, RunLabelRow), labels)
            if secrets:
                await session.execute(insert(session, SecretRow), [asdict(secret) for secret in secrets])

    async def get(self, run_id: str) -> Run:
        """Return a run. Raises `RunNotFoundError`."""
        async with self._database.reading() as session:
            return await _get(session, run_id)

    async def list(self, query: RunQuery) -> list[Run]:
        """Return at most ``query.limit`` runs, newest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(listing(query))
            return [run_rows.run_of(row) for row in rows]

    async def events(self, run_id: str) -> list[RunEvent]:
        """Return a run's history, oldest first."""
        async with self._database.reading() as session:
            found = await session.scalars(
                select(RunEventRow.event).where(RunEventRow.run_id == run_id).order_by(RunEventRow.seq)
            )
            return list(found)

    async def request_cancel(self, run_id: str, at: datetime) -> Run:
        """Note that a run is to be cancelled, and make it due."""
        async with self._database.writing() as session:
            await session.execute(
                update(RunRow)
                .where(
                    RunRow.id == run_id,
                    RunRow.due_at.is_not(None),
                    RunRow.cancel_requested_at.is_(None),
                )
                .values(
                    cancel_requested_at=at,
                    due_at=case((RunRow.due_at < at, RunRow.due_at), else_=moment(at)),
                )
            )
            return await _get(session, run_id)

    async def claim_due(self, claim: Claim, *, now: datetime, limit: int) -> list[Run]:
        """Claim due runs, oldest first."""
        async with self._database.writing() as session:
            ids = await claims.take(session, claim, now=now, limit=limit)
            if not ids:
                return []
            rows = await session.scalars(select(RunRow).where(RunRow.id.in_(ids)))
            by_id = {row.id: run_rows.run_of(row) for row in rows}
            return [by_id[run_id] for run_id in ids]

    async def renew(self, claim: Claim, run_ids: Sequence[str], *, now: datetime) -> None:
        """Hold claimed runs for another lease."""
        async with self._database.writing() as session:
            await claims.renew(session, claim, run_ids, now=now)

    async def release(self, run_id: str, claim: Claim, *, due_at: datetime) -> None:
        """Give a claimed run back."""
        async with self._database.writing() as session:
            await claims.release(session, run_id, claim, due_at=due_at)

    async def make_due(self, *, phase: RunPhase, now: datetime, limit: int) -> None:
        """Make the oldest runs of a phase due now."""
        async with self._database.writing() as session:
            await claims.wake(session, phase=phase, now=now, limit=limit)

    async def save(self, run: Run, events: Sequence[RunEvent], claim: Claim) -> None:
        """Write a claimed run and its new events. Raises `StaleClaimError`."""
        # A run that has ended stays as it ended, even for a holder that was late and took it again.
        open_or_the_same = or_(RunRow.due_at.is_not(None), RunRow.status == run.status)
        async with self._database.writing() as session:
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

    async def occupying(self, cluster: str) -> int:
        """Return how many runs take a place on that cluster."""
        return await self._count_live(cluster, RunRow.phase.in_(ON_CLUSTER))

    async def queue_position(self, run: Run) -> int:
        """Return how many queued runs of the same cluster stand before this one."""
        return await self._count_live(run.cluster, RunRow.phase == RunPhase.QUEUED, RunRow.id < run.id)

    async def _count_live(self, cluster: str, *conditions: ColumnElement[bool]) -> int:
        counted = select(func.count()).where(
            RunRow.cluster == cluster, RunRow.due_at.is_not(None), *conditions
        )
        async with self._database.reading() as session:
            return await session.scalar(counted) or 0


async def _get(session: AsyncSession, run_id: str) -> Run:
    row = await session.scalar(select(RunRow).where(RunRow.id == run_id))
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id}.")
    return run_rows.run_of(row)


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
    changes["log_size"] = case((AttemptRow.log_size > new.log_size, AttemptRow.log_size), else_=new.log_size)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "number"], set_=changes), rows
    )
