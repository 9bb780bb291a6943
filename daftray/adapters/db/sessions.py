"""Sessions of browsers."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.session_rows import SessionRow
from daftray.domain.errors import UserNotFoundError
from daftray.domain.session import BrowserSession

_PERSON = "usr_"


class SqlSessionStore:
    """The `SessionStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, session: BrowserSession) -> None:
        """Keep a new session; those that are over by its start go.

        Raises:
            UserNotFoundError: there is no such person.
        """
        async with self._database.writing() as transaction:
            await transaction.execute(delete(SessionRow).where(SessionRow.expires_at <= session.created_at))
            try:
                await transaction.execute(insert(transaction, SessionRow).values(_row_of(session)))
            except IntegrityError as error:
                raise UserNotFoundError from error

    async def get(self, session_id: str) -> BrowserSession | None:
        """Return a session, if there is one."""
        async with self._database.reading() as transaction:
            row = await transaction.get(SessionRow, session_id)
            return row and msgspec.convert(row, BrowserSession, from_attributes=True)

    async def seen(self, session_id: str, at: datetime) -> None:
        """Note when a session was last used; an older time never replaces a newer one."""
        this = SessionRow.id == session_id
        async with self._database.writing() as transaction:
            await transaction.execute(
                update(SessionRow).where(this, SessionRow.seen_at < at).values(seen_at=at)
            )

    async def delete(self, session_id: str) -> None:
        """End a session; one that is not there is no error."""
        async with self._database.writing() as transaction:
            await transaction.execute(delete(SessionRow).where(SessionRow.id == session_id))

    async def delete_of(self, holder: str) -> None:
        """End all sessions of a person, or of a key."""
        async with self._database.writing() as transaction:
            await transaction.execute(delete(SessionRow).where(SessionRow.holder == holder))


def _row_of(session: BrowserSession) -> dict[str, object]:
    person = session.holder if session.holder.startswith(_PERSON) else None
    return {**asdict(session), "user_id": person}
