"""Sealed secrets."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, select

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.rows import SecretRow
from daftray.domain.errors import SecretNotFoundError
from daftray.domain.project import SealedSecret


class SqlSecretStore:
    """The `SecretStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, secret: SealedSecret) -> None:
        """Keep a secret, in place of an older one."""
        async with self._database.writing() as session:
            statement = insert(session, SecretRow).values(asdict(secret))
            new = statement.excluded
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=["owner", "name"],
                    set_={
                        "key_id": new.key_id,
                        "ciphertext": new.ciphertext,
                        "updated_at": new.updated_at,
                    },
                )
            )

    async def list(self, owner: str) -> list[SealedSecret]:
        """Return an owner's secrets, by name."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(SecretRow).where(SecretRow.owner == owner).order_by(SecretRow.name)
            )
            return [msgspec.convert(row, SealedSecret, from_attributes=True) for row in rows]

    async def delete(self, owner: str, name: str) -> None:
        """Remove a secret. Raises `SecretNotFoundError`."""
        gone = delete(SecretRow).where(SecretRow.owner == owner, SecretRow.name == name)
        async with self._database.writing() as session:
            found = await session.scalars(gone.returning(SecretRow.name))
            if found.one_or_none() is None:
                raise SecretNotFoundError(f"There is no secret {name!r} here.")
