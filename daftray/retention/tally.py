"""Counts what goes, by what it is and by which rule."""

from __future__ import annotations

from daftray.domain.retention import Removed


class Tally:
    """What went in a pass, or would go. ``more`` says that something was left for the next one."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self.more = False

    def add(self, what: str, rule: str, *, count: int = 1, size: int | None = None) -> None:
        """Count things that go, and their bytes where those are known."""
        if not count:
            return
        self._counts[what, rule] = self._counts.get((what, rule), 0) + count
        if size is not None:
            self._sizes[what, rule] = self._sizes.get((what, rule), 0) + size

    def count(self, what: str) -> int:
        """Return how many of a kind go."""
        return sum(count for (counted, _), count in self._counts.items() if counted == what)

    def removed(self) -> list[Removed]:
        """Return what was counted, in the order in which it came up."""
        return [
            Removed(what=what, rule=rule, count=count, size=self._sizes.get((what, rule)))
            for (what, rule), count in self._counts.items()
        ]
