"""Sealed secrets."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, func, select, tuple_, update

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

    async def counts(self) -> dict[str, int]:
        """Return how many secrets are sealed under each master key."""
        async with self._database.reading() as session:
            found = await session.execute(
                select(SecretRow.key_id, func.count()).group_by(SecretRow.key_id).order_by(SecretRow.key_id)
            )
            return {key_id: int(count) for key_id, count in found}

    async def not_under(
        self, key_id: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[SealedSecret]:
        """Return secrets that are sealed under other keys than that, by owner and name after those given."""
        place = (SecretRow.owner, SecretRow.name)
        asked = (
            select(SecretRow)
            .where(SecretRow.key_id != key_id, tuple_(*place) > tuple_(*after))
            .order_by(*place)
            .limit(limit)
        )
        async with self._database.reading() as session:
            rows = await session.scalars(asked)
            return [msgspec.convert(row, SealedSecret, from_attributes=True) for row in rows]

    async def reseal(self, before: SealedSecret, after: SealedSecret) -> bool:
        """Put another ciphertext in a secret's place; say whether it was still as it is in ``before``."""
        changed = (
            update(SecretRow)
            .where(
                SecretRow.owner == before.owner,
                SecretRow.name == before.name,
                SecretRow.ciphertext == before.ciphertext,
            )
            .values(key_id=after.key_id, ciphertext=after.ciphertext)
            .returning(SecretRow.name)
        )
        async with self._database.writing() as session:
            return (await session.scalars(changed)).one_or_none() is not None
