"""Idempotency keys, beside the runs that were added under them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import StructJson
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.rows import Row
from daftray.domain.errors import IdempotencyConflictError
from daftray.domain.idempotency import IdempotencyKey


class IdempotencyRow(Row):
    """A key and what was made under it."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"),)

    project: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    run_ids: Mapped[tuple[str, ...]] = mapped_column(StructJson(tuple[str, ...]))
    created_at: Mapped[datetime]


async def find(session: AsyncSession, key: IdempotencyKey) -> tuple[str, ...] | None:
    """Return the runs that were added under a key. Raises `IdempotencyConflictError`."""
    row = await session.scalar(
        select(IdempotencyRow).where(IdempotencyRow.project == key.project, IdempotencyRow.key == key.key)
    )
    if row is None:
        return None
    if not key.fits(row.digest):
        raise IdempotencyConflictError
    return row.run_ids


async def take(
    session: AsyncSession, key: IdempotencyKey, run_ids: tuple[str, ...], *, now: datetime
) -> tuple[str, ...] | None:
    """Note a key; where it is taken, return the runs under it.

    Of two transactions with one key the later waits at the insert, and then finds what the first one made.
    """
    statement = insert(session, IdempotencyRow).values(
        project=key.project, key=key.key, digest=key.digest, run_ids=run_ids, created_at=now
    )
    taken = await session.scalars(
        statement.on_conflict_do_nothing(index_elements=["project", "key"]).returning(IdempotencyRow.key)
    )
    return None if taken.one_or_none() is not None else await find(session, key)
