"""API keys."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import asdict
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import ApiKeyRow
from daftray.domain.errors import ConflictError, KeyNotFoundError
from daftray.domain.principal import ApiKey


class SqlKeyStore:
    """The `KeyStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey) -> None:
        """Keep a new key. Raises `ConflictError` where its id is taken."""
        async with self._database.writing() as session:
            try:
                await session.execute(insert(session, ApiKeyRow).values(asdict(key)))
            except IntegrityError as error:
                raise ConflictError(f"There is an API key {key.id} already.") from error

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, if there is one."""
        async with self._database.reading() as session:
            row = await session.get(ApiKeyRow, key_id)
            return row and msgspec.convert(row, ApiKey, from_attributes=True)

    async def list(self, workspace: str) -> list[ApiKey]:
        """Return a workspace's keys, oldest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(ApiKeyRow).where(ApiKeyRow.workspace == workspace).order_by(ApiKeyRow.id)
            )
            return [msgspec.convert(row, ApiKey, from_attributes=True) for row in rows]

    async def revoke(self, key_id: str, at: datetime) -> None:
        """Close a key for good; one that is closed stays as it is. Raises `KeyNotFoundError`."""
        this = ApiKeyRow.id == key_id
        async with self._database.writing() as session:
            if await session.get(ApiKeyRow, key_id) is None:
                raise KeyNotFoundError
            await session.execute(
                update(ApiKeyRow).where(this, ApiKeyRow.revoked_at.is_(None)).values(revoked_at=at)
            )

    async def used(self, key_id: str, at: datetime) -> None:
        """Note when a key was last used; an older time never replaces a newer one."""
        last = ApiKeyRow.last_used_at
        async with self._database.writing() as session:
            await session.execute(
                update(ApiKeyRow)
                .where(ApiKeyRow.id == key_id, or_(last.is_(None), last < at))
                .values(last_used_at=at)
            )
