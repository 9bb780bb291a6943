"""What pages draw: bars of phases, lines of series, trees of JSON."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from factories import NOW, a_run

from daftray.domain.series import Sample, Series
from daftray.domain.status import RunPhase, RunStatus
from daftray.web.charts import HEIGHT, WIDTH, charts_of
from daftray.web.json_tree import LARGEST_SHOWN, tree_of
from daftray.web.phases import parts_of, took


def test_a_bar_is_as_wide_as_the_time_that_phases_took() -> None:
    run = msgspec.structs.replace(
        a_run(),
        phase=RunPhase.RUNNING,
        status=RunStatus.RUNNING,
        phase_since=NOW,
        started_at=NOW,
        timings={"queued": 5.0, "pinning": 15.0},
    )
    later = NOW + timedelta(seconds=20)
    parts = parts_of(run, later)
    assert [(part.phase, part.seconds, part.x, part.width) for part in parts] == [
        (RunPhase.PINNING, 15.0, 0.0, 375.0),
        (RunPhase.QUEUED, 5.0, 375.0, 125.0),
        (RunPhase.RUNNING, 20.0, 500.0, 500.0),
    ]
    assert took(run, later) == 20


def test_a_chart_shows_how_fast_and_needs_two_samples() -> None:
    samples = [Sample(at=NOW + timedelta(seconds=second), requests=10.0 * second) for second in range(5)]
    (chart,) = charts_of(Series(samples=tuple(samples)))
    assert (chart.title, chart.top, chart.last, chart.seconds) == ("Requests per second", 10, 10, 4)
    points = [tuple(map(float, pair.split(","))) for pair in chart.points.split()]
    assert (points[0][0], points[-1][0]) == (0, WIDTH)
    assert all(0 <= y <= HEIGHT for _, y in points)
    assert charts_of(Series(samples=tuple(samples[:1]))) == []


def test_json_is_a_tree_where_it_is_not_too_much() -> None:
    assert tree_of(b'{"a": [1]}').tree == {"a": [1]}
    assert tree_of(b"42").text == "42"
    deep = tree_of(b"[" * 60 + b"]" * 60)
    assert (deep.branched, bool(deep.text)) == (False, True)
    many = tree_of(msgspec.json.encode(list(range(20_000))))
    assert (many.branched, bool(many.text)) == (False, True)
    large = tree_of(b'"' + b"x" * LARGEST_SHOWN + b'"')
    assert (large.branched, large.text) == (False, None)
