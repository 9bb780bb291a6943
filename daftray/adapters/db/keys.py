"""API keys."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.rows import ApiKeyRow
from daftray.domain.errors import ConflictError
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
