"""Where SQLAlchemy's exceptions end."""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from daftray.adapters.db.address import unreadable
from daftray.domain.errors import DaftrayError, InvalidInputError, StoreUnavailableError

_SQLITE_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_POSTGRES_PASSING = (
    "08",  # the connection
    "40",  # a deadlock, a conflict of transactions
    "53",  # no room, no memory, too many connections
    "57",  # ended by the administrator, starting up, cancelled
    "58",  # the disk
    "0A000",  # a statement that was prepared before another server migrated the tables
    "25P03",  # a transaction that was idle for too long
    "55P03",  # a lock that could not be had
)
_POSTGRES_REFUSING = ("28", "3D000", "42501")
"""A wrong user, password or database, or no right to do it."""
_POSTGRES_DATA = "22"
"""What PostgreSQL says of data holds the data."""

_UNFIT = (OverflowError, UnicodeEncodeError)
_UNFIT_STATES = frozenset({"22003", "22021", "22P05"})
"""PostgreSQL: a number out of range, a character that the encoding or the type does not know."""
_PRIMARY_CODE = 0xFF
"""An extended result code of SQLite holds its primary code in its lowest byte (SQLite's documentation)."""


class DriverMissingError(DaftrayError):
    """PostgreSQL needs its driver: pip install 'daftray[server,postgres]'."""

    code = "driver-missing"


class DatabaseRefusedError(DaftrayError):
    """PostgreSQL refuses daftray."""

    code = "database-refused"

    def __init__(self, said: str) -> None:
        super().__init__(
            f"PostgreSQL refuses daftray: {said}. See the user, password and database in "
            "DAFTRAY_DATABASE_URL, and what that user may do."
        )


class PostgresSaidError(Exception):
    """What PostgreSQL said, for the server's log: the statement, and never the values."""


@contextmanager
def translated() -> Generator[None, None, None]:
    """Let only daftray's own errors out."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise _translated(error) from _without_values(error)
    except _UNFIT as error:
        raise _unfit() from error
    except sqlite3.Error as error:
        raise StoreUnavailableError("The database's file cannot be opened: see its folder.") from error
    except ssl.SSLError as error:
        raise StoreUnavailableError(
            "The TLS connection to the database fails: see sslmode and sslrootcert in its address."
        ) from error
    except (OSError, TimeoutError) as error:  # asyncpg's, where nothing listens or nothing answers
        raise StoreUnavailableError(
            "The database does not answer: is it running, and are the files there that its address names?"
        ) from error


def _translated(error: exc.SQLAlchemyError) -> DaftrayError:
    causes = [error, *_causes_of(error)]
    states = {state for cause in causes if (state := _state_of(cause))}
    if states & _UNFIT_STATES or any(isinstance(cause, _UNFIT) for cause in causes):
        return _unfit()
    if isinstance(error, exc.InterfaceError) and isinstance(causes[-1], ValueError):
        return unreadable(str(causes[-1].args[0]))
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailableError("All connections to the database are in use: try again.")
    if any(state.startswith(_POSTGRES_REFUSING) for state in states):
        return DatabaseRefusedError(_said(causes))
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    if lost or any(map(_passes, causes)):
        return StoreUnavailableError("The database is busy or does not answer: try again.")
    return DaftrayError("The database refused what daftray asked of it; the server's log says more.")


def _unfit() -> InvalidInputError:
    return InvalidInputError(
        "A number is too large, or a text holds what no database keeps: U+0000 or a lone surrogate."
    )


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    while error.__cause__ is not None:
        error = error.__cause__
        yield error


def _state_of(cause: BaseException) -> str | None:
    """Return PostgreSQL's SQLSTATE, where there is one."""
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def _passes(cause: BaseException) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & _PRIMARY_CODE in _SQLITE_PASSING
    state = _state_of(cause)
    return isinstance(cause, OSError) or (state is not None and state.startswith(_POSTGRES_PASSING))


def _without_values(error: exc.SQLAlchemyError) -> Exception:
    """Return an error as it may stand in a log: PostgreSQL's details and asyncpg's texts hold whole rows."""
    causes = [cause for cause in _causes_of(error) if _state_of(cause)]
    if not causes:
        return error
    kind, state = type(causes[-1]).__name__, _state_of(causes[-1])
    statement = error.statement if isinstance(error, exc.StatementError) else None
    return PostgresSaidError(f"{kind} ({state}): {_said(causes)} [{statement}]")


def _said(causes: list[BaseException]) -> str:
    """Return PostgreSQL's own sentence. It names users, tables and so on, but of data it holds the data."""
    last = [cause for cause in causes if _state_of(cause)][-1]
    hides = (_state_of(last) or "").startswith(_POSTGRES_DATA)
    return "…" if hides or not last.args else str(last.args[0])
