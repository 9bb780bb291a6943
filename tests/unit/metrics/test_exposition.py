"""What Prometheus reads: complete, cheap, and there without the database."""

from __future__ import annotations

import asyncio

import pytest
from fake_memory import FakeClock
from known_tallies import TALLIES
from prometheus_client.parser import text_string_to_metric_families

from daftray.domain.errors import InvalidInputError, StoreUnavailableError
from daftray.domain.tally import Tallies
from daftray.metrics.exposition import FRESH_FOR, Exposition


class CountedTallies:
    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None

    async def read(self) -> Tallies:
        self.reads += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return TALLIES


@pytest.fixture
def tallies() -> CountedTallies:
    return CountedTallies()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def exposition(tallies: CountedTallies, clock: FakeClock) -> Exposition:
    return Exposition(tallies=tallies, clock=clock)


async def samples(exposition: Exposition) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return what a scrape holds, by name and sorted label values."""
    families = text_string_to_metric_families((await exposition.text()).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in families
        for sample in family.samples
    }


async def test_all_that_is_counted_is_shown(exposition: Exposition) -> None:
    found = await samples(exposition)
    expected = {
        ("daftray_runs_ended_total", ("a", "failed", "killed")): 2,
        ("daftray_runs_ended_total", ("a", "succeeded", "")): 5,
        ("daftray_live_runs", ("a", "queued")): 7,
        ("daftray_live_runs", ("b", "running")): 1,
        ("daftray_queue_depth", ("a",)): 7,
        ("daftray_queue_depth", ("b",)): 0,
        ("daftray_queue_oldest_seconds", ("a",)): 90,
        ("daftray_report_silence_seconds", ("b",)): 2,
        ("daftray_usage_requests_total", ("a",)): 1,
        ("daftray_usage_tokens_total", ("a", "in")): 10,
        ("daftray_usage_tokens_total", ("a", "out")): 3,
        ("daftray_usage_cpu_seconds_total", ("a",)): 2.5,
        ("daftray_usage_cost_usd_total", ("a",)): 0.5,
        ("daftray_usage_cost_usd_total", ("b",)): 0,
        ("daftray_run_phase_seconds_bucket", ("pinning", "0.1")): 2,
        ("daftray_run_phase_seconds_bucket", ("pinning", "0.5")): 3,
        ("daftray_run_phase_seconds_bucket", ("pinning", "86400")): 3,
        ("daftray_run_phase_seconds_bucket", ("pinning", "+Inf")): 7,
        ("daftray_run_phase_seconds_count", ("pinning",)): 7,
        ("daftray_run_phase_seconds_sum", ("pinning",)): 99.5,
        ("daftray_database_up", ()): 1,
    }
    expected = {(name, tuple(sorted(values))): value for (name, values), value in expected.items()}
    assert {key: found.get(key) for key in expected} == expected
    assert any(name == "process_resident_memory_bytes" for name, _ in found)
    assert any(name == "daftray_build_info" for name, _ in found)


async def test_frequent_and_simultaneous_scrapes_read_the_database_once(
    exposition: Exposition, tallies: CountedTallies, clock: FakeClock
) -> None:
    await asyncio.gather(*(exposition.text() for _ in range(20)))
    clock.move(FRESH_FOR.total_seconds() / 2)
    await exposition.text()
    assert tallies.reads == 1
    clock.move(FRESH_FOR.total_seconds())
    await exposition.text()
    assert tallies.reads == 2


async def test_a_server_without_its_database_says_so_and_what_it_knows_itself(
    exposition: Exposition, tallies: CountedTallies
) -> None:
    tallies.error = StoreUnavailableError()
    with exposition.report("metrics"):
        pass
    found = await samples(exposition)
    assert found["daftray_database_up", ()] == 0
    assert found["daftray_reports_total", ("kept", "metrics")] == 1
    assert not any(name.startswith("daftray_runs") for name, _ in found)


async def test_reports_are_counted_by_what_became_of_them(exposition: Exposition) -> None:
    with exposition.report("metrics"):
        pass
    for error, outcome in (
        (InvalidInputError(), "refused"),
        (StoreUnavailableError(), "failed"),
        (RuntimeError(), "failed"),
    ):
        with pytest.raises(type(error)), exposition.report("logs"):
            raise error
        assert (await samples(exposition))["daftray_reports_total", tuple(sorted(("logs", outcome)))] >= 1
    found = await samples(exposition)
    assert found["daftray_report_lag_seconds_count", ("metrics",)] == 1
    assert ("daftray_report_lag_seconds_count", ("logs",)) not in found
