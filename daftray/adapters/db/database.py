"""The database: its connections, its transactions, its migrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from daftray.adapters.db import clock as database_clock
from daftray.adapters.db import dialect
from daftray.adapters.db.address import Address, unreadable
from daftray.adapters.db.engine import (
    WRITES,
    make_engine,
    make_patient_engine,
    make_sqlite_file,
    reading_options,
)
from daftray.adapters.db.errors import translated
from daftray.adapters.db.migrate import upgrade
from daftray.domain.ports import Clock

_TURN_TIMEOUT_S = 30


class Database:
    """One database, by URL: ``sqlite:////path/to/file`` or ``postgresql://user@host/name``.

    `open` before use, `migrate` before the first use of a version, `close` at the end. Every store call is
    one `reading` or `writing` transaction. Errors: `StoreUnavailableError` where trying again may help.
    Its time is the database's own, which replicas share; a test may give a ``clock`` in its place.
    """

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        self._address = Address.parse(url)
        self._clock = clock
        self._engine = make_engine(self._address)
        self._reader = self._engine.execution_options(**reading_options(self._engine))
        self._writer = self._engine.execution_options(**{WRITES: True})
        # SQLite has one writer. Its own queue is a sleep and a guess; within a process ours is fair.
        self._turn = asyncio.Lock() if self._address.dsn is None else None

    async def open(self) -> None:
        """Make sure that the database answers; make a SQLite file and its folder where there is none.

        Raises:
            StoreUnavailableError: it does not answer.
            DatabaseRefusedError: it does not let us in.
            InvalidInputError: its address cannot be used.
        """
        with translated():
            if self._address.path:
                await asyncio.to_thread(make_sqlite_file, Path(self._address.path))
        try:
            await self.ping()
        except ValueError:
            raise unreadable() from None  # asyncpg's text holds parts of the address

    async def ping(self) -> None:
        """Return when the database answers."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def migrate(self) -> None:
        """Bring the tables to this version of daftray. Safe when several processes start at once."""
        async with self.patient() as connection, connection.begin():
            await connection.run_sync(_migrate)

    async def close(self) -> None:
        """Give up all connections."""
        await self._engine.dispose()

    async def now(self, session: AsyncSession) -> datetime:
        """Return the time, in UTC and aware of it, to the microsecond."""
        return await database_clock.now(session) if self._clock is None else self._clock.now()

    async def time(self) -> datetime:
        """Return the time that all who share this database go by. Raises `StoreUnavailableError`."""
        async with self.reading() as session:
            return await self.now(session)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession, None]:
        """Give a session whose reads all see one moment."""
        with translated():
            async with AsyncSession(self._reader, expire_on_commit=False) as session, session.begin():
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession, None]:
        """Give a session that holds the right to write; commit at the end, roll back on an error."""
        with translated():
            async with (
                self._turn_to_write(),
                AsyncSession(self._writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

    @asynccontextmanager
    async def patient(self) -> AsyncGenerator[AsyncConnection, None]:
        """Give a writing connection of its own, without a transaction, for statements that may take long."""
        engine = make_patient_engine(self._address)
        try:
            with translated():
                async with engine.execution_options(**{WRITES: True}).connect() as connection:
                    yield connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncGenerator[None, None]:
        if self._turn is None:
            yield
            return
        async with asyncio.timeout(_TURN_TIMEOUT_S):
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()


def _migrate(connection: Connection) -> None:
    dialect.lock_for_migration(connection)
    upgrade(connection)
