"""Signals inside this process: something about a run has changed, look at it now and not at the next poll."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable


class Wake:
    """Wakes the reconciler. Signals are hints: each wait also ends by time, so a lost one costs only time.

    ``tell`` passes a signal on to other servers: for a run, or for any.
    """

    def __init__(self, tell: Callable[[str | None], None] | None = None) -> None:
        self._tell = tell
        self._any = asyncio.Event()
        self._runs: dict[str, asyncio.Event] = {}

    def watch(self, run_id: str) -> None:
        """Start to keep signals for a run."""
        self._runs[run_id] = asyncio.Event()

    def unwatch(self, run_id: str) -> None:
        """Stop to keep signals for a run."""
        self._runs.pop(run_id, None)

    def run(self, run_id: str) -> None:
        """Say that a run has changed."""
        self.heard(run_id)
        if self._tell is not None:
            self._tell(run_id)

    def all(self) -> None:
        """Say that there may be runs to claim."""
        self.heard(None)
        if self._tell is not None:
            self._tell(None)

    def heard(self, run_id: str | None) -> None:
        """Take a signal in that another server gave: it goes no further."""
        self._any.set()
        if run_id is not None and (event := self._runs.get(run_id)) is not None:
            event.set()

    async def wait_any(self, timeout_s: float) -> None:
        """Wait for any signal, at most so long."""
        await _wait(self._any, timeout_s)

    async def wait_run(self, run_id: str, timeout_s: float) -> None:
        """Wait for a watched run's signal, at most so long."""
        await _wait(self._runs[run_id], timeout_s)


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        # Not `wait_for`, which before Python 3.12 can swallow a cancellation that comes with the signal.
        async with asyncio.timeout(timeout_s):
            await event.wait()
    event.clear()
