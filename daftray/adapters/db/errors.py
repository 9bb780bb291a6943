"""Where SQLAlchemy's exceptions end."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from sqlalchemy import exc

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
_UNFIT = (OverflowError, UnicodeEncodeError)
_UNFIT_STATES = frozenset({"22003", "22021", "22P05"})
"""PostgreSQL: a number out of range, a character that the encoding or the type does not know."""
_PRIMARY_CODE = 0xFF
"""An extended result code of SQLite holds its primary code in its lowest byte (SQLite's documentation)."""


@contextmanager
def translated() -> Generator[None, None, None]:
    """Let only daftray's own errors out."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise _translated(error) from error
    except _UNFIT as error:
        raise _unfit() from error
    except sqlite3.Error as error:
        raise StoreUnavailableError("The database's file cannot be opened: see its folder.") from error
    except (OSError, TimeoutError) as error:  # asyncpg's, where nothing listens or nothing answers
        raise StoreUnavailableError("The database does not answer: is it running?") from error


def _translated(error: exc.SQLAlchemyError) -> DaftrayError:
    causes = [error, *_causes_of(error)]
    if any(isinstance(cause, _UNFIT) or _state_of(cause) in _UNFIT_STATES for cause in causes):
        return _unfit()
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailableError("All connections to the database are in use: try again.")
    if isinstance(error, exc.DBAPIError) and (error.connection_invalidated or any(map(_passes, causes))):
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


def _state_of(cause: BaseException) -> object:
    """Return PostgreSQL's SQLSTATE, where there is one."""
    return getattr(cause, "sqlstate", None)


def _passes(cause: BaseException) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & _PRIMARY_CODE in _SQLITE_PASSING
    return isinstance(cause, OSError)
