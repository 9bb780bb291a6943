"""The one place where ids come from.

An id is opaque text: a prefix that tells what it names, and 26 characters of Crockford's base 32 that
hold 48 bits of milliseconds and 80 bits of chance, so that ids sort by time (the layout of the ULID
specification, and its way of keeping the order within a millisecond: counting on). The alphabet fits
Ray's submission ids, URLs and file names: ``[a-z0-9_]``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Literal

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
_RANDOM_BITS = 80

Kind = Literal[
    "run",
    "prj",
    "wsp",
    "key",
    "sec",
    "evt",
    "usr",
    "ses",
    "fam",
    "dev",
    "aud",
    "src",
    "cat",
    "tsk",
    "trg",
    "itg",
]


def earliest_id(kind: Kind, at: datetime) -> str:
    """Return the smallest id that a thing of that millisecond can have: a bound for searches by time."""
    return earliest_id_of(kind, max(0, int(at.timestamp() * 1000)))


def earliest_id_of(kind: Kind, millisecond: int) -> str:
    """Return the smallest id that a thing of that millisecond, counted from 1970, can have."""
    return _spell(kind, millisecond << _RANDOM_BITS)


def millisecond_of(kind: Kind, id_: str) -> int | None:
    """Return the millisecond since 1970 that an id holds, or nothing where it is no id of that kind."""
    prefix, _, characters = id_.partition("_")
    if prefix != kind or len(characters) != _LENGTH or not set(characters) <= set(_ALPHABET):
        return None
    number = 0
    for character in characters:
        number = number << 5 | _ALPHABET.index(character)
    return number >> _RANDOM_BITS


def _spell(kind: Kind, number: int) -> str:
    characters = [_ALPHABET[(number >> (5 * position)) & 31] for position in reversed(range(_LENGTH))]
    return f"{kind}_{''.join(characters)}"


class Ids:
    """Makes ids. ``randomness`` gives that many random bits; tests pass their own."""

    def __init__(self, randomness: Callable[[int], int] = secrets.randbits) -> None:
        self._randomness = randomness
        self._last = -1  # before every millisecond, that of the epoch included

    def new(self, kind: Kind, at: datetime) -> str:
        """Return a new id of a kind, for a thing that comes to be at that time.

        Those of one millisecond sort in the order in which they were made here: runs that come together
        keep their order in the queue.
        """
        millisecond = int(at.timestamp() * 1000)
        if self._last >> _RANDOM_BITS == millisecond:
            self._last += 1
        else:
            self._last = (millisecond << _RANDOM_BITS) | self._randomness(_RANDOM_BITS)
        return _spell(kind, self._last)

    def token(self) -> str:
        """Return 256 bits of unguessable text, for keys and claims."""
        return secrets.token_urlsafe(32)
