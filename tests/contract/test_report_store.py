"""What every `ReportStore` does: the same end, however often and in whatever order reports come."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import msgspec
import pytest
from factories import (
    NOW,
    a_counter,
    a_finished,
    a_problem_report,
    a_run,
    a_started,
    an_exception,
    new,
)
from msgspec.structs import replace
from stores import Stores

from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.errors import InvalidInputError, RunNotFoundError
from daftray.domain.metrics import UsageSummary
from daftray.domain.report import AttemptReports
from daftray.domain.result import Column, RunResult
from daftray.domain.series import Sample, Series


@pytest.fixture
async def run_id(stores: Stores) -> str:
    run = a_run()
    await stores.runs.add(new(run))
    return run.id


async def test_the_first_report_of_each_kind_stays(stores: Stores, run_id: str) -> None:
    assert await stores.reports.reports(run_id, 1) == AttemptReports()
    exception = an_exception(causes=[an_exception(message="\x00 cause")], notes=["n"])
    finished = a_finished(outcome="raised", exit_code=1, exception=exception)
    await stores.reports.finished(run_id, finished, None)
    await stores.reports.started(run_id, a_started(pid=1))
    await stores.reports.started(run_id, a_started(pid=2))
    await stores.reports.finished(run_id, a_finished(), None)
    assert await stores.reports.reports(run_id, 1) == AttemptReports(
        started=a_started(pid=1), finished=finished
    )
    await stores.reports.started(run_id, a_started(attempt=2))
    assert await stores.reports.reports(run_id, 2) == AttemptReports(started=a_started(attempt=2))


VALUE = msgspec.Raw(b'{"b": 1, "a": [1e400, 12345678901234567890123, "\\u0000"]}')


@pytest.mark.parametrize(
    "result",
    [
        RunResult(kind="json", value=VALUE, size=10),
        RunResult(kind="json", value=msgspec.Raw(b"null")),
        RunResult(
            kind="table",
            columns=[Column(name="ä", type="int64")],
            rows=10**12,
            preview=[{"ä": 1}, {"ä": None}],
            size=99,
            data=True,
        ),
        RunResult(kind="artifact", media_type="image/png", data=True, size=3),
        RunResult(kind="omitted", note="a socket"),
    ],
    ids=lambda result: result.kind,
)
async def test_a_result_comes_back_as_it_was_put(stores: Stores, run_id: str, result: RunResult) -> None:
    assert await stores.reports.result(run_id) is None
    await stores.reports.put_result(run_id, result)
    found = await stores.reports.result(run_id)
    assert msgspec.json.encode(found) == msgspec.json.encode(result)


async def test_an_older_attempts_result_never_replaces_a_newer_ones(stores: Stores, run_id: str) -> None:
    second, first = (RunResult(kind="omitted", attempt=number, note=f"of {number}") for number in (2, 1))
    await stores.reports.put_result(run_id, second)
    await stores.reports.put_result(run_id, first)
    assert await stores.reports.result(run_id) == second
    await stores.reports.put_result(run_id, replace(second, note="sent again"))
    assert (await stores.reports.result(run_id)) == replace(second, note="sent again")


async def test_reports_of_no_run_are_refused(stores: Stores) -> None:
    for write in (
        stores.reports.started("run_none", a_started()),
        stores.reports.finished("run_none", a_finished(), a_problem_report()),
        stores.reports.put_result("run_none", RunResult(kind="omitted")),
        stores.reports.count("run_none", 1, [a_counter()]),
    ):
        with pytest.raises(RunNotFoundError):
            await write
    assert await stores.reports.totals("run_none") == []


async def test_counters_are_told_apart_by_all_that_names_them(stores: Stores, run_id: str) -> None:
    counters = [
        a_counter(value=1, attributes={"a": "1", "b": "2"}),
        a_counter(value=2, attributes={"b": "2", "a": "1"}),
        a_counter(value=4, attributes={"a": "1"}),
        a_counter(value=8, process="worker"),
        a_counter(value=16),
        a_counter(value=32, metric="other"),
    ]
    await stores.reports.count(run_id, 1, counters)
    await stores.reports.count(run_id, 2, [a_counter(value=64)])
    await stores.reports.count(run_id, 2, [])
    assert await stores.reports.totals(run_id) == [
        CounterTotal(metric="daftray.requests", attributes={"a": "1", "b": "2"}, value=2),
        CounterTotal(metric="daftray.requests", attributes={"a": "1"}, value=4),
        CounterTotal(metric="daftray.requests", attributes={}, value=8 + 16),
        CounterTotal(metric="daftray.requests", attributes={}, value=64, attempt=2),
        CounterTotal(metric="other", attributes={}, value=32),
    ]


@pytest.mark.parametrize("seed", range(20))
async def test_any_order_of_cumulative_reports_has_the_same_totals(
    stores: Stores, run_id: str, seed: int
) -> None:
    """Reports that are lost are made good by later ones; doubled, late or swapped ones change nothing."""
    chance = random.Random(seed)  # noqa: S311 (a repeatable shuffle)
    last: list[tuple[int, Counter]] = []
    sent: list[tuple[int, Counter]] = []
    for process in ("driver", "worker-1", "worker-2"):
        for model in ("a", "b"):
            attempt, value = chance.choice((1, 2)), 0.0
            for _ in range(chance.randint(1, 6)):
                value += chance.randint(0, 9)
                counter = a_counter(process=process, attributes={"model": model}, value=value)
                sent.append((attempt, counter))
            last.append(sent[-1])
    lossy = [one for one in sent if one in last or chance.random() < 0.7]
    arriving = lossy + chance.sample(lossy, len(lossy) // 2)
    chance.shuffle(arriving)
    while arriving:
        size = chance.randint(1, 5)
        for attempt in (1, 2):
            batch = [counter for of, counter in arriving[:size] if of == attempt]
            await stores.reports.count(run_id, attempt, batch)
        del arriving[:size]
    assert await stores.reports.totals(run_id) == [
        CounterTotal(
            metric="daftray.requests",
            attributes={"model": model},
            value=sum(counter.value for _, counter in counted),
            attempt=attempt,
        )
        for model in ("a", "b")
        for attempt in (1, 2)
        if (counted := [one for one in last if one[0] == attempt and one[1].attributes["model"] == model])
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_a_counter_without_a_finite_value_is_refused(stores: Stores, run_id: str, value: float) -> None:
    with pytest.raises(InvalidInputError):
        await stores.reports.count(run_id, 1, [a_counter(), a_counter(metric="odd", value=value)])
    assert await stores.reports.totals(run_id) == []


async def test_a_series_grows_step_by_step_by_the_stores_clock(stores: Stores, run_id: str) -> None:
    assert await stores.reports.series(run_id) == Series()
    for requests in range(4):
        await stores.reports.sample(run_id, UsageSummary(requests=requests, cost=0.5))
        stores.clock.move(0.5)
    series = await stores.reports.series(run_id)
    assert series == Series(
        samples=(
            Sample(at=NOW, requests=0, cost=0.5),
            Sample(at=NOW + timedelta(seconds=1), requests=2, cost=0.5),
        )
    )
    stores.clock.move(1)
    grown = await stores.reports.sample(run_id, UsageSummary(tokens_in=9))
    assert [sample.tokens_in for sample in grown.samples] == [None, None, 9]
    assert await stores.reports.series(run_id) == grown


async def test_a_sample_of_no_run_is_refused(stores: Stores) -> None:
    with pytest.raises(RunNotFoundError):
        await stores.reports.sample("run_none", UsageSummary())
