"""Column types: each turns a value of the domain into what a database keeps, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from sqlalchemy import ColumnElement, DateTime, Dialect, Enum, String, Text, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator

Value = TypeVar("Value")

ORDERED_TEXT = String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
"""Text that is sorted or compared by code points on every database, whatever its locale."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. SQLite keeps it as text of fixed width, so that it sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: it means another instant on every machine."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware time")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC, where the database forgot."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(at: datetime) -> ColumnElement[datetime]:
    """Return a time as part of an SQL expression, where no column beside it says what type it is."""
    return literal(at, UtcDateTime())


class StructJson(TypeDecorator[Value]):
    r"""A msgspec type as JSON text.

    Text rather than the database's own JSON: PostgreSQL's ``jsonb`` refuses ``\u0000``, which the messages
    of users' exceptions do hold, and nothing searches inside these columns.
    """

    impl = Text
    cache_ok = True

    def __init__(self, type_: type[Value]) -> None:
        super().__init__()
        self.type_ = type_
        self._decoder = msgspec.json.Decoder(type_)

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> str | None:
        """Encode; nothing stays NULL."""
        del dialect
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Value | None:
        """Decode; fields that were added since take their defaults."""
        del dialect
        return None if value is None else self._decoder.decode(value)


def code_of(enum: type[StrEnum]) -> Enum:
    """Return the type of a column that keeps an enum's values as text, without a constraint.

    A constraint would make a migration of every new member.
    """
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=_values,
    )


def _values(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]
