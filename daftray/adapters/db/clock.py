"""The database's own time, which all that work on one database share."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.columns import UtcDateTime


async def now(session: AsyncSession) -> datetime:
    """Return the time of the call (not of the transaction's begin), in UTC, to the microsecond.

    SQLite is part of this process: its time is this machine's, which it tells to the millisecond only.
    """
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    return (await session.execute(select(func.clock_timestamp(type_=UtcDateTime())))).scalar_one()
