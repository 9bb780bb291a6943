"""What differs between SQLite and PostgreSQL, and nowhere else: set-up, transactions, upserts, locks."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import ConnectionPoolEntry

from daftray.adapters.db.rows import Row

WRITES = "daftray_writes"
"""The execution option of a connection that is going to write."""

_BUSY_TIMEOUT_MS = 5_000
_WAL_TRIES = 50
_WAL_WAIT_S = 0.1
_ADMISSION_LOCK = 0x0DAF7_4A8
_MIGRATION_LOCK = 0x0DAF7_4A7
"""PostgreSQL's advisory locks are named by numbers; this one is ours."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}

Upsert = sqlite.Insert | postgresql.Insert


def url_of(text_: str) -> URL:
    """Return a database's URL with the driver that daftray uses for it."""
    url = make_url(text_)
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def connect_args(url: URL) -> dict[str, Any]:  # Any: what SQLAlchemy takes
    """Return the driver's own settings: above all, that no call waits for ever."""
    if url.get_backend_name() == "postgresql":
        return {"timeout": 10, "command_timeout": 30}
    return {"timeout": _BUSY_TIMEOUT_MS / 1000}


def prepare(engine: AsyncEngine) -> None:
    """Make SQLite's connections durable, patient and strict, and let writers say so when they begin.

    SQLite's own driver starts a transaction in the middle, at the first write; then a reader that turns
    writer fails at once where another writer was faster. ``BEGIN IMMEDIATE`` waits its turn instead
    (SQLAlchemy's documentation of pysqlite, "transactions"; SQLite's, "isolation").
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)


def make_sqlite_file(path: Path) -> None:
    """Make a database's file where there is none, and let readers and the writer work at once.

    The file remembers its journal mode. To change it SQLite needs the file for itself and does not wait for
    that as it does for other locks, so two servers that start at once may have to try again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in reversed(range(_WAL_TRIES)):
        with closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_MS / 1000)) as connection:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:
                if not left:
                    raise
            else:
                return
        time.sleep(_WAL_WAIT_S)


def _set_up_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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
