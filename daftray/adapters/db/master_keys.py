"""Which master keys the database knows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert, lock_master_keys
from daftray.adapters.db.rows import Row
from daftray.domain.project import SealedSecret

_OWNER = "daftray"


class MasterKeyRow(Row):
    """A master key's id, and a known value that is sealed under it."""

    __tablename__ = "master_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]
    created_at: Mapped[datetime]


class SqlMasterKeyStore:
    """The `MasterKeyStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, record: SealedSecret, *, known: Collection[str]) -> list[SealedSecret]:
        """Return all records; keep this one, too, where all that are there are of known keys."""
        async with self._database.writing() as session:
            await lock_master_keys(session)
            there = await _records(session)
            ids = {one.key_id for one in there}
            if record.key_id not in ids and ids <= set(known):
                await session.execute(
                    insert(session, MasterKeyRow).values(
                        key_id=record.key_id, ciphertext=record.ciphertext, created_at=record.created_at
                    )
                )
                there.append(record)
            return sorted(there, key=lambda one: one.key_id)

    async def list(self) -> list[SealedSecret]:
        """Return all records by key id."""
        async with self._database.reading() as session:
            return await _records(session)

    async def remove(self, key_id: str) -> bool:
        """Forget a key; say whether it was there."""
        gone = delete(MasterKeyRow).where(MasterKeyRow.key_id == key_id).returning(MasterKeyRow.key_id)
        async with self._database.writing() as session:
            return (await session.scalars(gone)).one_or_none() is not None


async def _records(session: AsyncSession) -> list[SealedSecret]:
    rows = await session.scalars(select(MasterKeyRow).order_by(MasterKeyRow.key_id))
    return [
        SealedSecret(
            owner=_OWNER,
            name=row.key_id,
            key_id=row.key_id,
            ciphertext=row.ciphertext,
            created_at=row.created_at,
            updated_at=row.created_at,
        )
        for row in rows
    ]
