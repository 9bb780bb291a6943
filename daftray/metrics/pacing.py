"""How often processes may report: as many reports a second as the server takes easily, whoever is there.

Counts are cumulative, so a process that reports less often loses nothing but the moment: a longer interval is
how load is shed. Each answer says how long to gather before the next report.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from daftray.domain.ports import Clock

REPORTS_PER_S = 100.0
"""What a server takes on beside its other work: some tenth of a core."""
LONGEST_S = 10.0
USUAL_S = 0.5
"""How often the runner reports unless it is told otherwise; nothing is said up to here."""
_WINDOW = timedelta(seconds=5)
"""A process that reports often was heard of within it, at the usual pace."""
_MOST_PROCESSES = 100_000


class Pacing:
    """Knows which processes report at present, and how much room each has."""

    def __init__(self, clock: Clock, *, reports_per_s: float = REPORTS_PER_S) -> None:
        self._clock = clock
        self._reports_per_s = reports_per_s
        self._heard: OrderedDict[str, datetime] = OrderedDict()
        self._interval_s = USUAL_S

    def after(self, process: str) -> float:
        """Note a report of a process; return the seconds that it is to gather for, 0 for as it likes."""
        now = self._clock.now()
        self._heard[process] = now
        self._heard.move_to_end(process)
        while len(self._heard) > _MOST_PROCESSES:
            self._heard.popitem(last=False)
        # Whoever was told to wait longer is still there while it waits.
        gone = now - max(_WINDOW, timedelta(seconds=2 * self._interval_s))
        while next(iter(self._heard.values())) < gone:
            self._heard.popitem(last=False)
        self._interval_s = min(len(self._heard) / self._reports_per_s, LONGEST_S)
        return self._interval_s if self._interval_s > USUAL_S else 0.0
