"""The counts of one process: named, with attributes, only ever growing.

Adding is on the path of every row and call of the user's code: a dictionary under a lock, and
everything else (sorting, stringifying, sending) is left to the exporter.
"""

from __future__ import annotations

from _thread import RLock  # `threading` takes 1.5 ms to import, which most of a run's processes never need

from daftray.runner import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Attributes = tuple[tuple[str, object], ...]
    Values = dict[tuple[str, Attributes], float]
    Series = tuple[str, tuple[tuple[str, str], ...]]

MAX_SERIES = 2000
"""Distinct metrics and attributes of a process. More are folded: an id as attribute must not eat memory."""
LONGEST_TEXT = 200
OVERFLOW_NAME = "overflow"
_OVERFLOW = (("otel.metric.overflow", "true"),)
"""What OpenTelemetry's metrics SDK calls the series that takes what is over the limit."""


class Counters:
    """Counts of this process. ``on_first`` is called when something is counted after a quiet time.

    ``custom`` holds the user's own counters by name and attributes, and ``named`` those without any of their
    own, by where they are counted and then by name, which is found in half the time. ``acquire`` and
    ``release`` guard both: they are here for `daftray.runner.report.increment`, where one more call would
    cost a fifth of the time.
    """

    __slots__ = ("_on_first", "_values", "acquire", "custom", "named", "quiet", "release")

    def __init__(self, on_first: Callable[[], None]) -> None:
        self._on_first = on_first
        self.reset()

    def reset(self) -> None:
        """Forget everything. A forked child starts from zero, and with a lock that nobody holds."""
        # Re-entrant: a signal handler or a finalizer may count while its own thread is counting.
        # Bound methods rather than `with`, which takes twice the time.
        lock = RLock()
        self.acquire = lock.acquire
        self.release = lock.release
        self.custom: Values = {}
        self.named: dict[Attributes, dict[str, float]] = {}
        self._values: Values = {}
        self.quiet = True

    def add(self, metric: str, amount: float, attributes: Attributes) -> None:
        """Add an amount, which is not negative, to a metric with these attributes."""
        self.acquire()
        try:
            self.add_new(self._values, metric, amount, attributes)
        finally:
            self.release()
        if self.quiet:
            self.wake()

    def wake(self) -> None:
        """Tell that there is something to send, once until the next reading."""
        self.quiet = False
        self._on_first()

    def add_new(self, values: Values, name: str, amount: float, attributes: Attributes) -> None:
        """Add to a key that may be new, or hold what cannot be a key. The caller holds the lock."""
        key = (name[:LONGEST_TEXT], attributes if _is_plain(attributes) else _plain(attributes))
        if key not in values and len(values) >= MAX_SERIES:
            key = (key[0] if len(values) < 2 * MAX_SERIES else OVERFLOW_NAME, _OVERFLOW)
        values[key] = values.get(key, 0) + amount

    def add_named(self, name: str, amount: float, where: Attributes) -> None:
        """Add to a user's counter that is new where it is counted. The caller holds the lock."""
        if len(name) > LONGEST_TEXT or sum(map(len, self.named.values())) >= MAX_SERIES:
            self.add_new(self.custom, name, amount, where)
        else:
            self.named.setdefault(where, {})[name] = amount

    def read(self) -> dict[Series, float]:
        """Return every count so far by metric and sorted attributes; the next one tells ``on_first``."""
        self.acquire()
        try:
            self.quiet = True
            counted = list(self._values.items())
            counted += [
                ((names.CUSTOM_PREFIX + name, pairs), value) for (name, pairs), value in self.custom.items()
            ]
            counted += [
                ((names.CUSTOM_PREFIX + name, where), value)
                for where, named in self.named.items()
                for name, value in named.items()
            ]
        finally:
            self.release()
        totals: dict[Series, float] = {}
        for (metric, attributes), value in counted:
            key = (metric, tuple(sorted(_plain(attributes))))
            totals[key] = totals.get(key, 0) + value
        return totals


def _is_plain(attributes: Attributes) -> bool:
    return all(type(value) is str and len(value) <= LONGEST_TEXT for _, value in attributes)


def _plain(attributes: Attributes) -> tuple[tuple[str, str], ...]:
    return tuple((name[:LONGEST_TEXT], str(value)[:LONGEST_TEXT]) for name, value in attributes)
