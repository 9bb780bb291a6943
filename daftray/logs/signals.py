"""Tells those who wait in this process that a run has changed, so that they need not ask so often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager


class LogSignals:
    """One signal for each run that somebody follows. It holds nothing for runs that nobody follows.

    ``tell`` passes a signal on to other servers.
    """

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self._tell = tell
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._given = 0

    def notify(self, run_id: str) -> None:
        """Wake all who follow a run."""
        self.heard(run_id)
        if self._tell is not None:
            self._tell(run_id)

    def heard(self, run_id: str) -> None:
        """Take a signal in that another server gave: it goes no further."""
        self._given += 1
        for event in self._followers.get(run_id, ()):
            event.set()

    @property
    def given(self) -> int:
        """How many signals there were: what was read of a run since the last one is as it is now."""
        return self._given

    @contextmanager
    def following(self, run_id: str) -> Generator[asyncio.Event]:
        """Give an event that is set whenever the run changes; whoever waits for it clears it."""
        event = asyncio.Event()
        self._followers.setdefault(run_id, set()).add(event)
        try:
            yield event
        finally:
            followers = self._followers[run_id]
            followers.discard(event)
            if not followers:
                del self._followers[run_id]
