"""Lines of a run's series, to be drawn as SVG: how fast, not how much, for what adds up."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec

from daftray.domain.series import Sample, Series

WIDTH, HEIGHT = 600, 120
_TOO_FEW = 2


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """One line: its points in a box of `WIDTH` by `HEIGHT`, and what its top and its end stand for."""

    title: str
    points: str
    area: str
    top: float
    last: float
    seconds: float


_LINES: tuple[tuple[str, Callable[[Sample], float | None], bool], ...] = (
    ("Requests per second", lambda sample: sample.requests, True),
    ("Tokens in per second", lambda sample: sample.tokens_in, True),
    ("Tokens out per second", lambda sample: sample.tokens_out, True),
    ("CPUs in use", lambda sample: sample.cpu_seconds, True),
    ("Cost in dollars", lambda sample: sample.cost, False),
)


def charts_of(series: Series) -> list[Chart]:
    """Return a chart of each figure of which at least two samples are known."""
    found = (_chart(title, series, figure, rate=rate) for title, figure, rate in _LINES)
    return [chart for chart in found if chart is not None]


def _chart(
    title: str, series: Series, figure: Callable[[Sample], float | None], *, rate: bool
) -> Chart | None:
    known = [
        (sample.at.timestamp(), value) for sample in series.samples if (value := figure(sample)) is not None
    ]
    if len(known) < _TOO_FEW:
        return None
    points = _rates(known) if rate else known
    start, end = points[0][0], points[-1][0]
    top = max(value for _, value in points)
    drawn = [
        f"{(at - start) / ((end - start) or 1) * WIDTH:.1f},{HEIGHT - value / (top or 1) * (HEIGHT - 4):.1f}"
        for at, value in points
    ]
    area = f"0,{HEIGHT} {' '.join(drawn)} {WIDTH},{HEIGHT}"
    return Chart(
        title=title, points=" ".join(drawn), area=area, top=top, last=points[-1][1], seconds=end - start
    )


def _rates(known: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return how much came in a second, from sample to sample."""
    pairs = itertools.pairwise(known)
    rates = [(at, max(0.0, (value - before) / ((at - then) or 1))) for (then, before), (at, value) in pairs]
    return [(known[0][0], rates[0][1]), *rates]
