"""Times in addresses."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from daftray.domain.errors import InputIssue, InvalidInputError

Time = TypeVar("Time", datetime, datetime | None)


def with_zone(name: str, time: Time) -> Time:
    """Refuse a time of no certain zone. Litestar passes over msgspec's own constraint for a parameter."""
    if time is not None and time.tzinfo is None:
        issue = InputIssue(path=name, message="give the offset from UTC as well: 2026-01-31T10:30:00Z")
        raise InvalidInputError("A time has no offset from UTC.", issues=(issue,))
    return time
