"""What retention removes from the database, and which blobs are to go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import holdings
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert, lock_retention
from daftray.adapters.db.idempotency import IdempotencyRow
from daftray.adapters.db.retention_rows import RemovalRow
from daftray.adapters.db.rows import RunRow, SecretRow
from daftray.domain.ids import earliest_id
from daftray.domain.retention import Holdings, Kept, Kind

_ID_SLACK = timedelta(minutes=1)
"""How far the time in a run's id may be from its creation time. The id only narrows the search."""


class SqlRetentionStore:
    """The `RetentionStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holdings(self, kind: Kind, *, after: Kept | None = None, limit: int) -> Holdings:
        """Return what is kept of a kind, with some of the oldest."""
        async with self._database.reading() as session:
            now = await self._database.now(session)
            return await holdings.read(session, kind, now=now, after=after, limit=limit)

    async def remove(
        self,
        kind: Kind,
        choose: Callable[[Holdings], Sequence[Kept]],
        *,
        blobs: Callable[[Kept], str],
        limit: int,
    ) -> list[Kept]:
        """Mark what ``choose`` picks as removed, note the keys of its blobs, and return it."""
        async with self._database.writing() as session:
            await lock_retention(session)
            now = await self._database.now(session)
            chosen = list(choose(await holdings.read(session, kind, now=now, limit=limit)))
            await holdings.mark_removed(session, kind, chosen, now=now)
            await _note(session, map(blobs, chosen), now)
        return chosen

    async def pending(self, *, limit: int) -> list[str]:
        """Return keys of blobs that are to go."""
        async with self._database.reading() as session:
            found = await session.scalars(select(RemovalRow.key).order_by(RemovalRow.key).limit(limit))
            return list(found)

    async def gone(self, keys: Sequence[str]) -> None:
        """Forget keys whose blobs are gone."""
        async with self._database.writing() as session:
            await session.execute(delete(RemovalRow).where(RemovalRow.key.in_(keys)))

    async def old_runs(self, older_than: timedelta) -> tuple[int, int]:
        """Return how many runs ended so long ago, and the bytes that they still have."""
        async with self._database.reading() as session:
            old = _ended_before(await self._database.now(session) - older_than)
            count = await session.scalar(select(func.count()).select_from(RunRow).where(old))
            return count or 0, await _size_of(session, old)

    async def remove_runs(
        self, older_than: timedelta, *, blobs: Callable[[str], str], limit: int
    ) -> tuple[int, int]:
        """Remove the records of the oldest such runs, and note their blobs."""
        async with self._database.writing() as session:
            now = await self._database.now(session)
            old = select(RunRow.id).where(_ended_before(now - older_than)).order_by(RunRow.id).limit(limit)
            ids = list(await session.scalars(old.with_for_update(skip_locked=True)))
            size = await _size_of(session, RunRow.id.in_(ids))
            await _note(session, map(blobs, ids), now)
            await session.execute(delete(SecretRow).where(SecretRow.owner.in_(ids)))
            await session.execute(delete(RunRow).where(RunRow.id.in_(ids)))
        return len(ids), size

    async def old_keys(self, older_than: timedelta) -> int:
        """Return how many idempotency keys were used so long ago."""
        async with self._database.reading() as session:
            before = await self._database.now(session) - older_than
            old = select(func.count()).select_from(IdempotencyRow).where(IdempotencyRow.created_at <= before)
            return await session.scalar(old) or 0

    async def forget_keys(self, older_than: timedelta, *, limit: int) -> int:
        """Forget the oldest such keys; return how many."""
        name = (IdempotencyRow.project, IdempotencyRow.key)
        async with self._database.writing() as session:
            before = await self._database.now(session) - older_than
            old = select(*name).where(IdempotencyRow.created_at <= before)
            old = old.order_by(IdempotencyRow.created_at).limit(limit)
            gone = await session.scalars(
                delete(IdempotencyRow).where(tuple_(*name).in_(old)).returning(IdempotencyRow.key)
            )
            return len(gone.all())


async def _note(session: AsyncSession, keys: Iterable[str], now: datetime) -> None:
    rows = [{"key": key, "noted_at": now} for key in keys]
    if rows:
        await session.execute(insert(session, RemovalRow).on_conflict_do_nothing(), rows)


async def _size_of(session: AsyncSession, runs: ColumnElement[bool]) -> int:
    logs = await holdings.size_of(session, "logs", runs)
    return logs + await holdings.size_of(session, "results", runs)


def _ended_before(before: datetime) -> ColumnElement[bool]:
    """Return the condition of a run that had ended by then. It was made before, which its id tells."""
    return and_(
        RunRow.id < earliest_id("run", before + _ID_SLACK),
        RunRow.due_at.is_(None),
        RunRow.completed_at <= before,
    )
