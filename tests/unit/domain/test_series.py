"""A series stays small however long its run, and never lies about what was used when."""

from __future__ import annotations

from datetime import timedelta

from factories import NOW
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.metrics import UsageSummary
from daftray.domain.series import MOST_SAMPLES, Sample, Series


def sampled(*seconds: float) -> Series:
    """Return the series of a run that used as many tokens as it had seconds."""
    series = Series()
    for at in seconds:
        series = series.grown(NOW + timedelta(seconds=at), UsageSummary(tokens_in=at))
    return series


def test_a_sample_says_what_was_used_by_when() -> None:
    usage = UsageSummary(requests=1, tokens_in=2, tokens_out=3, cpu_seconds=4, cost=5)
    series = Series().grown(NOW, usage)
    assert series.samples == (Sample(at=NOW, requests=1, tokens_in=2, tokens_out=3, cpu_seconds=4, cost=5),)


def test_samples_that_come_closer_than_a_step_are_left_out() -> None:
    series = sampled(0, 0.4, 0.9, 1, 1.5, 0.2, 2.5)
    assert [sample.tokens_in for sample in series.samples] == [0, 1, 2.5]


def test_a_short_run_has_every_second() -> None:
    series = sampled(*range(MOST_SAMPLES))
    assert (series.step_s, len(series.samples)) == (1, MOST_SAMPLES)


def test_a_long_run_has_fewer_and_still_its_first() -> None:
    series = sampled(*range(24 * 3600))
    assert MOST_SAMPLES / 2 <= len(series.samples) <= MOST_SAMPLES
    assert series.step_s == 512
    assert series.samples[0].at == NOW
    gaps = {later.at - at.at for at, later in zip(series.samples, series.samples[1:], strict=False)}
    assert gaps == {timedelta(seconds=512)}


@given(st.lists(st.floats(0, 5000), max_size=600))
def test_a_series_is_bounded_and_in_order(seconds: list[float]) -> None:
    series = sampled(*seconds)
    times = [sample.at for sample in series.samples]
    assert times == sorted(times)
    assert len(times) <= MOST_SAMPLES
    assert all(sample.at == NOW + timedelta(seconds=sample.tokens_in or 0) for sample in series.samples)
