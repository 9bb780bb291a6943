"""The engines of a database: its connections, set up as SQLite and PostgreSQL each need it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from daftray.adapters.db.address import Address
from daftray.adapters.db.errors import DriverMissingError

WRITES = "daftray_writes"
"""The execution option of a connection that is going to write."""

_BUSY_TIMEOUT_MS = 5_000
"""How long SQLite waits for another process's lock."""
_CONNECT_TIMEOUT_S = 10
_STATEMENT_TIMEOUT_S = 30
_POOL_SIZE = 5
_POOL_OVERFLOW = 5
_POOL_TIMEOUT_S = 10
_WAL_TRIES = 50
_WAL_WAIT_S = 0.1

_POSTGRES_SETTINGS = """
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 15;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET jit = off
"""
"""The locks of a server that vanished are free within half a minute; small statements are not compiled."""


def make_engine(address: Address) -> AsyncEngine:
    """Return the engine for everything but what takes long. Raises `DriverMissingError`."""
    pool = {"pool_size": _POOL_SIZE, "max_overflow": _POOL_OVERFLOW, "pool_timeout": _POOL_TIMEOUT_S}
    return _engine(address, pool, hurried=True)


def make_patient_engine(address: Address) -> AsyncEngine:
    """Return an engine without a pool, whose statements may take long. Raises `DriverMissingError`."""
    return _engine(address, {"poolclass": NullPool}, hurried=False)


def reading_options(engine: AsyncEngine) -> dict[str, Any]:  # Any: what SQLAlchemy takes
    """Return the execution options of connections that only read: all their reads see one moment."""
    if engine.dialect.name == "sqlite":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _engine(address: Address, pool: dict[str, Any], *, hurried: bool) -> AsyncEngine:
    try:
        engine = create_async_engine(
            address.url,
            hide_parameters=True,  # statements end up in logs; secrets and users' data do not
            connect_args=_connect_args(address, hurried=hurried),
            **pool,
        )
    except ModuleNotFoundError as error:
        raise DriverMissingError from error
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        event.listen(engine.sync_engine, "connect", _set_up_postgres)
        event.listen(engine.sync_engine, "checkout", _refuse_a_closed_one)
    return engine


def _connect_args(address: Address, *, hurried: bool) -> dict[str, Any]:
    """Return the driver's settings. Nothing waits for ever, but a statement that is not hurried."""
    if address.dsn is None:
        return {"timeout": _BUSY_TIMEOUT_MS / 1000, "factory": _SqliteConnection}
    named = "application_name=" in address.dsn
    return {
        "dsn": address.dsn,
        "timeout": _CONNECT_TIMEOUT_S,
        "command_timeout": _STATEMENT_TIMEOUT_S if hurried else None,
        "server_settings": {} if named else {"application_name": "daftray"},
    }


class _SqliteConnection(sqlite3.Connection):
    """A connection whose end is the end of its transaction.

    SQLAlchemy just closes a connection whose task was cancelled. SQLite puts the end off while a statement of
    it is known anywhere, in the traceback of the cancellation, say, and keeps the lock for writers as long.
    """

    def close(self) -> None:
        """Roll back what is open, and close."""
        with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed already
            self.rollback()
        super().close()


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
    """Make a connection durable, patient and strict."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Let a writer say so when it begins.

    SQLite's own driver starts a transaction in the middle, at the first write; then a reader that turns
    writer fails at once where another writer was faster. ``BEGIN IMMEDIATE`` waits its turn instead
    (SQLAlchemy's documentation of pysqlite, "transactions"; SQLite's, "isolation").
    """
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_up_postgres(connection: Any, _entry: ConnectionPoolEntry) -> None:  # Any: SQLAlchemy's adapter
    # Not with the connection's start: poolers that stand between refuse what they do not know there.
    connection.run_async(_change_settings)


async def _change_settings(driver: Any) -> None:  # Any: asyncpg's connection, which has no types
    await driver.execute(_POSTGRES_SETTINGS)


def _refuse_a_closed_one(connection: Any, _entry: ConnectionPoolEntry, _proxy: object) -> None:
    """Let the pool replace a connection that PostgreSQL has ended, when it was started anew, say.

    The driver knows of it; SQLAlchemy's own way to find out asks the server each time.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError
