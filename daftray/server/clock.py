"""The real clocks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from daftray.domain.errors import DaftrayError
from daftray.domain.ports import Clock

log = logging.getLogger(__name__)

COMPARE_EVERY_S = 60.0
TELLING = timedelta(seconds=5)
"""A difference that is worth a line in the log."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)


class DatabaseClock:
    """The database's time, as well as this machine can tell it without asking.

    All servers of a database reckon deadlines and pauses with the times that another one noted: their own
    clocks may differ by more than a deadline. ``ask`` asks the database.
    """

    def __init__(self, ask: Callable[[], Awaitable[datetime]], own: Clock | None = None) -> None:
        self._ask = ask
        self._own = own or SystemClock()
        self._ahead = timedelta(0)
        """How far the database's clock is ahead of this machine's."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._own.now() + self._ahead

    async def compare(self) -> None:
        """Compare the two clocks. Raises `StoreUnavailableError`."""
        before = self._own.now()
        theirs = await self._ask()
        doubt = (self._own.now() - before) / 2
        ahead = theirs - (before + doubt)
        # What lies within the time that the answer took is no difference: one machine has one time.
        ahead = ahead if abs(ahead) > doubt else timedelta(0)
        if abs(ahead - self._ahead) > TELLING:
            log.warning(
                "this machine's clock differs from the database's by %.1f s: the database's counts",
                ahead.total_seconds(),
                extra={"action": "clock"},
            )
        self._ahead = ahead

    async def serve(self) -> None:
        """Compare them for ever; a database that is away is asked again."""
        while True:
            await asyncio.sleep(COMPARE_EVERY_S)
            try:
                await self.compare()
            except DaftrayError as exc:
                log.debug("the clocks are compared later: %s", exc.detail, extra={"action": "clock"})
