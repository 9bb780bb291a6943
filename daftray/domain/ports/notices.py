"""What servers that share a database tell each other."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec


class NoticeKind(StrEnum):
    """What a notice is about."""

    WAKE = "wake"
    """A run is due, or something changed that its reconciler should look at."""
    CHANGED = "changed"
    """A run's record or log has grown: who follows it should look."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A hint to the other servers. ``run_id`` is missing where any run may be meant.

    It may be lost, come late or come twice: whoever waits for one also looks by itself from time to time.
    """

    kind: NoticeKind
    run_id: str | None = None


class Notices(Protocol):
    """The way between servers."""

    def publish(self, notice: Notice) -> None:
        """Tell the others soon. It never waits and never fails; equal notices are told once."""
        ...

    async def serve(self, hear: Callable[[Notice], None]) -> None:
        """Tell what is published and hand over what the others tell, until cancelled.

        After each gap ``hear`` gets a `NoticeKind.WAKE` for any run: something may have been missed.
        """
        ...
