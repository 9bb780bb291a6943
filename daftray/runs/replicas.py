"""Joins the signals inside this server with those of the others that share its database."""

from __future__ import annotations

from daftray.domain.ports import Notice, NoticeKind, Notices
from daftray.logs.signals import LogSignals
from daftray.runs.wake import Wake


class Replicas:
    """``wake`` and ``signals`` reach whoever waits here at once, and whoever waits elsewhere soon."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self.wake = Wake(tell=self._tell_wake)
        self.signals = LogSignals(tell=self._tell_change)

    async def serve(self) -> None:
        """Hear the others, and tell them, until cancelled."""
        await self._notices.serve(self._hear)

    def _hear(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.WAKE:
            self.wake.heard(notice.run_id)
        elif notice.run_id is not None:
            self.signals.heard(notice.run_id)

    def _tell_wake(self, run_id: str | None) -> None:
        self._notices.publish(Notice(kind=NoticeKind.WAKE, run_id=run_id))

    def _tell_change(self, run_id: str) -> None:
        self._notices.publish(Notice(kind=NoticeKind.CHANGED, run_id=run_id))
