"""Families of refresh tokens."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, delete, or_, update

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.session_rows import TokenFamilyRow
from daftray.domain.session import TokenFamily


class SqlTokenFamilyStore:
    """The `TokenFamilyStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, family: TokenFamily) -> None:
        """Keep a new family; those that are over by its start go."""
        start = family.created_at
        over = or_(TokenFamilyRow.expires_at <= start, TokenFamilyRow.ends_at <= start)
        async with self._database.writing() as session:
            await session.execute(delete(TokenFamilyRow).where(over))
            await session.execute(insert(session, TokenFamilyRow).values(asdict(family)))

    async def get(self, family_id: str) -> TokenFamily | None:
        """Return a family, if there is one."""
        async with self._database.reading() as session:
            row = await session.get(TokenFamilyRow, family_id)
            return row and msgspec.convert(row, TokenFamily, from_attributes=True)

    async def rotate(
        self, family_id: str, *, old: str, new: str, at: datetime, expires_at: datetime
    ) -> TokenFamily | None:
        """Put a new digest in the place of the current one, and return the family after it."""
        # One statement: the second of two finds that what it looks for is not current any more.
        statement = (
            update(TokenFamilyRow)
            .where(
                TokenFamilyRow.id == family_id,
                TokenFamilyRow.current == old,
                TokenFamilyRow.ended_at.is_(None),
                TokenFamilyRow.expires_at > at,
                TokenFamilyRow.ends_at > at,
            )
            .values(current=new, expires_at=expires_at)
            .returning(TokenFamilyRow)
            .execution_options(synchronize_session=False)
        )
        async with self._database.writing() as session:
            row = (await session.scalars(statement)).one_or_none()
            return row and msgspec.convert(row, TokenFamily, from_attributes=True)

    async def end(self, family_id: str, at: datetime) -> None:
        """End a family; one that has ended keeps its time, and one that is not there is no error."""
        await self._end(TokenFamilyRow.id == family_id, at)

    async def end_of(self, holder: str, at: datetime) -> None:
        """End all families of a person or a key."""
        await self._end(TokenFamilyRow.holder == holder, at)

    async def _end(self, which: ColumnElement[bool], at: datetime) -> None:
        async with self._database.writing() as session:
            await session.execute(
                update(TokenFamilyRow).where(which, TokenFamilyRow.ended_at.is_(None)).values(ended_at=at)
            )
