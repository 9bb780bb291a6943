"""What the operator wants kept, and which of what there is that leaves to go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_UNIT = 1024


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How long, and how many bytes of it, something is kept. None is for ever, and without a limit."""

    age: timedelta | None = None
    size: int | None = None

    @property
    def by_age(self) -> str:
        """The rule of what is too old."""
        return older_than(self.age or timedelta(0))

    @property
    def by_size(self) -> str:
        """The rule of what is too much."""
        return f"beyond {in_units(self.size or 0)}"


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """What is kept.

    ``most`` is how much of each kind may go in one pass, ``every`` the time between two passes. ``runs`` is
    how long the record of a run stays that has ended, ``keys`` how long idempotency keys do. ``grace`` is how
    old a blob must be that nothing is known to need: a younger one may be of something that is just being
    made.
    """

    logs: Bound = Bound()
    results: Bound = Bound()
    packages: Bound = Bound()
    mirrors: Bound = Bound()
    runs: timedelta | None = None
    keys: timedelta = timedelta(days=30)
    grace: timedelta = timedelta(days=1)
    most: int = 2000
    every: timedelta = timedelta(minutes=5)


class Aged(Protocol):
    """Something that is kept: its bytes, and since when its age counts."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def since(self) -> datetime:
        """When its age began."""
        ...


Thing = TypeVar("Thing", bound=Aged)


class Choice(NamedTuple, Generic[Thing]):
    """Something that is to go, and whether for its age."""

    kept: Thing
    too_old: bool


def choose(oldest: Iterable[Thing], bound: Bound, *, now: datetime, total: int) -> Iterator[Choice[Thing]]:
    """Yield what is to go: what is too old, and then the oldest, while all of it together is too large.

    ``oldest`` are those that may go, the oldest first; ``total`` is the bytes of all there is.
    """
    for kept in oldest:
        too_old = bound.age is not None and now - kept.since > bound.age
        too_much = bound.size is not None and total > bound.size
        if not (too_old or too_much):
            return
        total -= kept.size
        yield Choice(kept, too_old)


def older_than(age: timedelta) -> str:
    """Say an age as a rule."""
    days = age / timedelta(days=1)
    if days >= 1:
        return f"older than {days:g} {'day' if days == 1 else 'days'}"
    return f"older than {age / timedelta(minutes=1):g} minutes"


def in_units(size: float) -> str:
    """Say a number of bytes for people."""
    unit = 0
    while size >= _UNIT and unit < len(_UNITS) - 1:
        size, unit = size / _UNIT, unit + 1
    return f"{size:.4g} {_UNITS[unit]}"
