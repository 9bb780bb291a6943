"""How much retention does at a time: enough to get on, and too little to be in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

AT_ONCE = 8

Thing = TypeVar("Thing")


def in_groups(things: Sequence[Thing], size: int = AT_ONCE) -> Iterator[list[Thing]]:
    """Yield things a few at a time."""
    for start in range(0, len(things), size):
        yield list(things[start : start + size])
