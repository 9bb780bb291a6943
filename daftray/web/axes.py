"""What stands at the axes of a chart: round amounts, round times."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec

_ROUND = (1, 2, 2.5, 5, 10)
_MOST_STEPS = 4
_SMALLEST = 1e-12
_MINUTE, _DAY = 60, 86_400
_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * step for step in (1, 2, 5, 10, 15, 30)),
    *(3600 * step for step in (1, 2, 3, 6, 12)),
    *(_DAY * step for step in (1, 2, 7, 14, 28)),
)
"""Seconds between two times that an axis names."""


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """A text at an axis, and where it is: in percent of the axis."""

    at: float
    text: str


def amount_ticks(top: float) -> list[float]:
    """Return round amounts at even distances, from zero to at least the highest there is."""
    if not _SMALLEST < top < math.inf:
        return [0.0, 1.0]
    rough = top / _MOST_STEPS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next((one * size for one in _ROUND if one * size * _MOST_STEPS >= top * (1 - 1e-9)), 10.0 * size)
    steps = max(1, math.ceil(top / step - 1e-9))
    return [float(f"{step * number:.12g}") for number in range(steps + 1)]


def time_ticks(start: datetime, end: datetime) -> list[Tick]:
    """Return round times of UTC between two times, few enough for a narrow screen."""
    first, last = start.timestamp(), end.timestamp()
    whole = last - first
    if whole <= 0:
        return []
    step = next((one for one in _TIME_STEPS if whole / one <= _MOST_STEPS), _TIME_STEPS[-1])
    if whole / step > _MOST_STEPS:
        step *= math.ceil(whole / step / _MOST_STEPS)
    at = math.ceil(first / step) * step
    found: list[Tick] = []
    while at <= last:
        found.append(Tick(at=round((at - first) / whole * 100, 2), text=_clock(at, step)))
        at += step
    return found


def _clock(at: float, step: float) -> str:
    pattern = "%H:%M:%S" if step < _MINUTE else "%H:%M" if step < _DAY else "%m-%d"
    return datetime.fromtimestamp(at, UTC).strftime(pattern)
