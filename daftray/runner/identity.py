"""Who a report comes from."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from daftray.runner.settings import RunSettings


class Identity:
    """One process: host, pid, and the time it began to count, which tells two users of one pid apart."""

    __slots__ = ("host", "pid", "start_ns")

    def __init__(self) -> None:
        self.host = os.uname().nodename
        self.pid = os.getpid()
        self.start_ns = time.time_ns()

    @property
    def process(self) -> str:
        """What tells this process apart from every other."""
        return f"{self.host}-{self.pid}-{self.start_ns}"

    def resource(self, settings: RunSettings) -> dict[str, str]:
        """Return the attributes that say where counts come from (OpenTelemetry's resource)."""
        return {
            "daftray.run_id": settings.run_id,
            "daftray.attempt": str(settings.attempt),
            "daftray.process": self.process,
            "host.name": self.host,
            "process.pid": str(self.pid),
        }
