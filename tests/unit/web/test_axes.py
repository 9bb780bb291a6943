"""What stands at the axes of charts, and what is said of figures that are not there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, a_run
from hypothesis import example, given
from hypothesis import strategies as st

from daftray.domain.cpu_seconds import CpuSeconds
from daftray.domain.metrics import RunMetrics, Unpriced
from daftray.domain.run import Attempt, Run
from daftray.domain.series import Sample, Series
from daftray.domain.spec import Budget
from daftray.domain.status import RunStatus
from daftray.web.axes import amount_ticks, time_ticks
from daftray.web.charts import HEIGHT, MOST_ROWS, charts_of
from daftray.web.usage_words import budget_lines, why_unknown


@given(st.floats(0, 1e15))
@example(5e-324)
@example(40.0)
def test_amounts_are_round_even_and_hold_the_highest(top: float) -> None:
    ticks = amount_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top * (1 - 1e-9)
    assert 2 <= len(ticks) <= 6
    step = ticks[1]
    assert ticks == pytest.approx([step * number for number in range(len(ticks))])
    assert len(f"{step:e}".split("e")[0].rstrip("0").replace(".", "")) <= 2
    if top > 1e-12:
        assert ticks[-2] < top


@given(st.integers(0, 10**7), st.floats(0.001, 3e8))
def test_times_are_few_in_order_and_inside(offset: int, seconds: float) -> None:
    start = NOW + timedelta(seconds=offset)
    ticks = time_ticks(start, start + timedelta(seconds=seconds))
    assert len(ticks) <= 5
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    assert all(0 <= tick.at <= 100 for tick in ticks)
    assert time_ticks(start, start) == []


def test_times_are_whole_minutes_where_there_are_minutes() -> None:
    start = NOW.replace(hour=10, minute=0, second=20, microsecond=0)
    ticks = time_ticks(start, start + timedelta(minutes=4))
    assert [(tick.text, tick.at) for tick in ticks] == [
        ("10:01", 16.67),
        ("10:02", 41.67),
        ("10:03", 66.67),
        ("10:04", 91.67),
    ]


def test_a_chart_has_its_figures_as_text_and_as_a_table_that_is_not_too_long() -> None:
    samples = [Sample(at=NOW + timedelta(seconds=second), cost=0.5 * second) for second in range(100)]
    (chart,) = charts_of(Series(samples=tuple(samples)))
    assert (chart.key, chart.amounts, chart.count) == ("cost", [60.0, 40.0, 20.0, 0.0], 100)
    assert chart.figures.split()[:3] == ["0:0", "1:0.5", "2:1"]
    assert len(chart.rows) <= MOST_ROWS
    assert chart.rows[-1] == (NOW + timedelta(seconds=99), 49.5)
    assert float(chart.points.split()[-1].split(",")[1]) == pytest.approx(HEIGHT * (1 - 49.5 / 60), abs=0.1)


def _begun(**fields: object) -> Run:
    return a_run(attempts=(Attempt(number=1, submission_id="s"),), **fields)


def test_what_is_missing_says_why() -> None:
    assert why_unknown(a_run(), RunMetrics())["requests"] == "it has not begun"
    assert why_unknown(a_run(status=RunStatus.FAILED), RunMetrics())["cost"] == "the project has no prices"
    assert why_unknown(_begun(), RunMetrics())["tokens_in"] == "no call of a model was counted yet"
    ended = _begun(status=RunStatus.SUCCEEDED)
    assert why_unknown(ended, RunMetrics(requests=2))["tokens_in"] == "the models' answers told none"
    unpriced = RunMetrics(price_version=1, cost_missing=(Unpriced(why="no price"),))
    assert why_unknown(ended, unpriced)["cost"] == "some usage has no price, see below"
    known = RunMetrics(requests=1, tokens_in=1, tokens_out=1, cost=1, cpu_seconds=CpuSeconds(allocated=1))
    assert why_unknown(ended, known) == {}


def test_a_budget_tells_how_much_of_it_is_used() -> None:
    run = a_run(budget=Budget(tokens=1000, usd=2))
    lines = budget_lines(run, RunMetrics(tokens_in=200, tokens_out=1300))
    assert [(line.name, line.used, line.most, line.percent) for line in lines] == [
        ("Tokens", 1500, 1000, 150),
        ("Dollars", None, 2, 0),
    ]
    assert budget_lines(a_run(), RunMetrics()) == []
