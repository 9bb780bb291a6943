"""Counts tries, so that nobody can guess without end."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.throttle import Rate


class Throttle(Protocol):
    """Tries by rate and by who tries: an address, an account. Memory is bounded, whoever tries."""

    def check(self, rate: Rate, who: str) -> None:
        """Raise `TooManyRequestsError` where somebody may not try now; nothing is counted."""
        ...

    def hit(self, rate: Rate, who: str) -> None:
        """Count a try. Raises `TooManyRequestsError` where it is one too many."""
        ...
