"""A database's address: as operators write it, and as drivers take it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from daftray.domain.errors import InvalidInputError

_NOT_FOR_THE_SERVER = frozenset({"channel_binding", "connect_timeout", "gssencmode"})
"""What libpq knows in an address and asyncpg would hand to the server, which refuses it."""

_HARMLESS = ("root certificate file", "`sslmode`", "direct TLS", "could not determine")
"""How those of asyncpg's complaints begin that hold nothing of the address."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """``url`` is for SQLAlchemy, ``dsn`` for asyncpg, who reads it as PostgreSQL's own programs do."""

    url: str
    path: str | None = None
    """The file of a SQLite database."""
    dsn: str | None = None
    """It may hold a password, so it stands in no message."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``sqlite:////path/to/file`` or ``postgresql://user@host/name?sslmode=…``.

        Raises:
            InvalidInputError: it is neither; the message does not hold it.
        """
        kind, found, rest = text.partition("://")
        kind = kind.partition("+")[0]
        if found and kind == "sqlite":
            try:
                url = make_url(text).set(drivername="sqlite+aiosqlite")
            except ArgumentError as error:
                raise unreadable() from error
            return cls(url=url.render_as_string(hide_password=False), path=url.database)
        if found and kind in {"postgres", "postgresql"}:
            return cls(url="postgresql+asyncpg://", dsn=f"postgresql://{_for_asyncpg(rest)}")
        raise unreadable()


def _for_asyncpg(rest: str) -> str:
    place, _, query = rest.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name not in _NOT_FOR_THE_SERVER]
    return f"{place}?{urlencode(kept)}" if kept else place


def unreadable(why: str = "") -> InvalidInputError:
    """Return the error of an address that cannot be used. ``why`` must hold nothing of the address.

    asyncpg's texts may: where a password is not encoded as it should be, parts of it pass for something else.
    """
    if why.startswith(_HARMLESS):
        return InvalidInputError(f"DAFTRAY_DATABASE_URL cannot be used: {why}.")
    return InvalidInputError(
        "DAFTRAY_DATABASE_URL is to be sqlite:////path/to/file or postgresql://user:password@host/name, "
        "with the special characters of the password percent-encoded."
    )
