"""The more processes report, the longer each is told to gather: reports a second stay as they are."""

from __future__ import annotations

import pytest
from factories import NOW
from fakes import FakeClock

from daftray.metrics.pacing import LONGEST_S, USUAL_S, Pacing


def settle(processes: int, *, seconds: float = 60) -> tuple[float, float]:
    """Let so many processes report as they are told. Return reports a second at last, and the interval."""
    clock = FakeClock(NOW)
    pacing = Pacing(clock, reports_per_s=100)
    due = [n / processes * USUAL_S for n in range(processes)]
    reports, at, interval = 0, 0.0, 0.0
    while at < seconds:
        sender = min(range(processes), key=due.__getitem__)
        clock.move(max(due[sender] - at, 0))
        at = due[sender]
        interval = pacing.after(f"p{sender}")
        due[sender] = at + max(interval, USUAL_S)
        reports += at > seconds - 20
    return reports / 20, interval


@pytest.mark.parametrize("processes", [1, 20, 50])
def test_few_processes_report_as_often_as_they_like(processes: int) -> None:
    rate, interval = settle(processes, seconds=25)
    assert interval == 0
    assert rate == pytest.approx(processes / USUAL_S, rel=0.1)


@pytest.mark.parametrize("processes", [100, 200, 400])
def test_the_rate_stays_where_it_is_however_many_there_are(processes: int) -> None:
    rate, interval = settle(processes)
    assert interval == pytest.approx(processes / 100)
    assert rate == pytest.approx(100, rel=0.1)


def test_nobody_waits_longer_than_the_bound() -> None:
    pacing = Pacing(FakeClock(NOW), reports_per_s=1)
    assert max(pacing.after(f"p{n}") for n in range(100)) == LONGEST_S


def test_those_who_are_gone_are_forgotten() -> None:
    clock = FakeClock(NOW)
    pacing = Pacing(clock, reports_per_s=100)
    assert max(pacing.after(f"p{n}") for n in range(500)) == 5
    clock.move(11)
    assert pacing.after("p0") == 0
