"""Lines of a run's series, to be drawn as SVG: how fast, not how much, for what adds up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime

import msgspec

from daftray.domain.series import Sample, Series
from daftray.web.axes import Tick, amount_ticks, time_ticks

WIDTH, HEIGHT = 600, 120
MOST_ROWS = 24
"""Rows of the table of figures, evenly picked, the last among them."""
_TOO_FEW = 2


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """One line: its points in a box of `WIDTH` by `HEIGHT`, its axes, and the figures themselves.

    ``figures`` are ``SECONDS:VALUE`` since the first sample, for the module that reads the chart out.
    ``amounts`` are what the axis of amounts says, the highest first, at even distances down to zero.
    """

    key: str
    title: str
    points: str
    area: str
    top: float
    last: float
    seconds: float
    start: datetime
    end: datetime
    figures: str
    amounts: list[float]
    times: list[Tick]
    rows: list[tuple[datetime, float]]
    count: int


_LINES: tuple[tuple[str, str, Callable[[Sample], float | None], bool], ...] = (
    ("requests", "Requests per second", lambda sample: sample.requests, True),
    ("tokens-in", "Tokens in per second", lambda sample: sample.tokens_in, True),
    ("tokens-out", "Tokens out per second", lambda sample: sample.tokens_out, True),
    ("cpus", "CPUs in use", lambda sample: sample.cpu_seconds, True),
    ("cost", "Cost in dollars", lambda sample: sample.cost, False),
)


def charts_of(series: Series) -> list[Chart]:
    """Return a chart of each figure of which at least two samples are known."""
    found = (_chart(key, title, series, figure, rate=rate) for key, title, figure, rate in _LINES)
    return [chart for chart in found if chart is not None]


def _chart(
    key: str, title: str, series: Series, figure: Callable[[Sample], float | None], *, rate: bool
) -> Chart | None:
    known = [(sample.at, value) for sample in series.samples if (value := figure(sample)) is not None]
    if len(known) < _TOO_FEW:
        return None
    points = _rates(known) if rate else known
    start, end = points[0][0], points[-1][0]
    whole = (end - start).total_seconds()
    top = max(value for _, value in points)
    amounts = amount_ticks(top)
    offsets = [((at - start).total_seconds(), value) for at, value in points]
    drawn = [
        f"{offset / (whole or 1) * WIDTH:.1f},{HEIGHT - value / amounts[-1] * HEIGHT:.1f}"
        for offset, value in offsets
    ]
    return Chart(
        key=key,
        title=title,
        points=" ".join(drawn),
        area=f"0,{HEIGHT} {' '.join(drawn)} {WIDTH},{HEIGHT}",
        top=top,
        last=points[-1][1],
        seconds=whole,
        start=start,
        end=end,
        figures=" ".join(f"{offset:.6g}:{value:.6g}" for offset, value in offsets),
        amounts=amounts[::-1],
        times=time_ticks(start, end),
        rows=_picked(points),
        count=len(points),
    )


def _rates(known: list[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """Return how much came in a second, from sample to sample."""
    pairs = itertools.pairwise(known)
    rates = [
        (at, max(0.0, (value - before) / ((at - then).total_seconds() or 1)))
        for (then, before), (at, value) in pairs
    ]
    return [(known[0][0], rates[0][1]), *rates]


def _picked(points: list[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    step = -(-len(points) // MOST_ROWS)
    return points[::-1][::step][::-1]
