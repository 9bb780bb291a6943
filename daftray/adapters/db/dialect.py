"""What differs between SQLite and PostgreSQL in what is asked of them: upserts and locks."""

from __future__ import annotations

from sqlalchemy import Connection, Dialect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.rows import Row

_MASTER_KEYS_LOCK = 0x0DAF7_4AA
_RETENTION_LOCK = 0x0DAF7_4A9
_ADMISSION_LOCK = 0x0DAF7_4A8
_MIGRATION_LOCK = 0x0DAF7_4A7
"""PostgreSQL's advisory locks are named by numbers; these are ours."""

Upsert = sqlite.Insert | postgresql.Insert


def insert(session: AsyncSession, row: type[Row]) -> Upsert:
    """Return an insert that can say what happens on a conflict."""
    return sqlite.insert(row) if _dialect(session).name == "sqlite" else postgresql.insert(row)


def _dialect(session: AsyncSession) -> Dialect:
    return session.get_bind().dialect


def lock_for_migration(connection: Connection) -> None:
    """Make other processes that start now wait until this transaction is over."""
    if connection.dialect.name == "sqlite":
        # The transaction began as a writing one: the file is ours already.
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})


async def lock_cluster(session: AsyncSession, cluster: str) -> None:
    """Make others that would give away that cluster's places wait until this transaction is over."""
    if _dialect(session).name == "sqlite":
        return  # it is the only writer
    await session.execute(
        text("SELECT pg_advisory_xact_lock(:lock, hashtext(:cluster))"),
        {"lock": _ADMISSION_LOCK, "cluster": cluster},
    )


async def lock_retention(session: AsyncSession) -> None:
    """Make others that would remove what is oldest wait until this transaction is over."""
    if _dialect(session).name != "sqlite":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _RETENTION_LOCK})


async def lock_master_keys(session: AsyncSession) -> None:
    """Make others that would enter a master key wait until this transaction is over."""
    if _dialect(session).name != "sqlite":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MASTER_KEYS_LOCK})
