from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from factories import a_counter, a_run, new
from fakes import FakeClock, InMemoryPriceStore, InMemoryReportStore, InMemoryRunStore
from msgspec.structs import replace

from daftray.domain.counters import REQUESTS, Counter
from daftray.domain.errors import RunNotFoundError
from daftray.domain.metrics import UsageSummary
from daftray.metrics.accounts import Accounts
from daftray.metrics.ingest import UsageIngest
from daftray.metrics.pacing import Pacing


class CountingReports(InMemoryReportStore):
    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    async def count(self, run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        self.writes += 1
        await super().count(run_id, attempt, counters)


async def an_ingest(run_id: str) -> tuple[UsageIngest, CountingReports, InMemoryRunStore]:
    reports, runs = CountingReports(), InMemoryRunStore()
    await runs.add(new(a_run(id=run_id)))
    accounts = Accounts(reports=reports, prices=InMemoryPriceStore())
    pacing = Pacing(FakeClock(), reports_per_s=20)
    ingest = UsageIngest(reports=reports, runs=runs, accounts=accounts, pacing=pacing, gather_s=0)
    return ingest, reports, runs


async def test_an_answered_report_is_kept_and_shown() -> None:
    ingest, reports, runs = await an_ingest("run_1")
    await ingest.add("run_1", 1, [a_counter(metric=REQUESTS, value=3)])
    assert [total.value for total in await reports.totals("run_1")] == [3]
    usage = (await runs.get("run_1")).usage
    assert usage is not None
    assert usage.requests == 3


async def test_reports_that_come_together_are_written_together() -> None:
    ingest, reports, _ = await an_ingest("run_1")
    counters = [a_counter(process=f"p{n}", metric=REQUESTS, value=1) for n in range(50)]
    await asyncio.gather(*(ingest.add("run_1", 1, [counter]) for counter in counters))
    assert reports.writes == 1
    assert [total.value for total in await reports.totals("run_1")] == [50]


async def test_many_processes_are_told_to_report_less_often() -> None:
    ingest, _, _ = await an_ingest("run_1")
    counters = [a_counter(process=f"p{n}", metric=REQUESTS, value=1) for n in range(200)]
    told = await asyncio.gather(*(ingest.add("run_1", 1, [counter]) for counter in counters))
    assert (told[0], told[-1]) == (0, 10)
    assert await ingest.add("run_1", 1, []) == 0


async def test_what_was_used_by_when_is_noted_once_a_step() -> None:
    ingest, reports, _ = await an_ingest("run_1")
    for value in range(5):
        await ingest.add("run_1", 1, [a_counter(metric=REQUESTS, value=value)])
    assert [sample.requests for sample in (await reports.series("run_1")).samples] == [0]


async def test_an_older_report_in_the_same_batch_changes_nothing() -> None:
    ingest, reports, _ = await an_ingest("run_1")
    newer, older = a_counter(metric=REQUESTS, value=9), a_counter(metric=REQUESTS, value=4)
    await asyncio.gather(ingest.add("run_1", 1, [newer]), ingest.add("run_1", 1, [older]))
    assert [total.value for total in await reports.totals("run_1")] == [9]


async def test_a_report_that_cannot_be_kept_is_not_answered_as_if_it_were() -> None:
    ingest, reports, _ = await an_ingest("run_1")

    async def refuse(*_: object) -> None:
        raise OSError("disk full")

    reports.count = refuse  # type: ignore[method-assign] (a store that fails)
    with pytest.raises(OSError, match="disk full"):
        await ingest.add("run_1", 1, [a_counter()])


async def test_a_report_that_cannot_be_kept_costs_no_other_run_its_own() -> None:
    ingest, reports, runs = await an_ingest("run_good")
    keep = reports.count

    async def refuse_one(run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        if run_id == "run_bad":
            raise RunNotFoundError
        await keep(run_id, attempt, counters)

    reports.count = refuse_one
    bad, good = await asyncio.gather(
        ingest.add("run_bad", 1, [a_counter(metric=REQUESTS, value=1)]),
        ingest.add("run_good", 1, [a_counter(metric=REQUESTS, value=2)]),
        return_exceptions=True,
    )
    assert isinstance(bad, RunNotFoundError)
    assert good == 0
    usage = (await runs.get("run_good")).usage
    assert usage is not None
    assert usage.requests == 2


async def test_one_write_follows_another_and_closing_waits_for_the_last() -> None:
    ingest, reports, runs = await an_ingest("run_1")
    keep, began, go_on = reports.count, asyncio.Event(), asyncio.Event()
    at_once = most = 0

    async def slow(run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        began.set()
        await go_on.wait()
        await keep(run_id, attempt, counters)
        at_once -= 1

    reports.count = slow
    first = asyncio.ensure_future(ingest.add("run_1", 1, [a_counter(metric=REQUESTS, value=1)]))
    await began.wait()
    second = asyncio.ensure_future(ingest.add("run_1", 1, [a_counter(metric=REQUESTS, value=2)]))
    closing = asyncio.ensure_future(ingest.close())
    for _ in range(20):
        await asyncio.sleep(0)
    assert (most, closing.done()) == (1, False)
    go_on.set()
    await closing
    await asyncio.gather(first, second)
    usage = (await runs.get("run_1")).usage
    assert usage is not None
    assert (most, usage.requests) == (1, 2)


class Overtaken(InMemoryRunStore):
    """What is written first arrives last: another server has counted, and written, in between."""

    def __init__(self, reports: InMemoryReportStore) -> None:
        super().__init__()
        self._reports = reports
        self._overtaken = False

    async def save_usage(self, run_id: str, usage: UsageSummary) -> None:
        if not self._overtaken:
            self._overtaken = True
            await self._reports.count(run_id, 1, [a_counter(process="other", metric=REQUESTS, value=2)])
            await super().save_usage(run_id, replace(usage, requests=(usage.requests or 0) + 2))
        await super().save_usage(run_id, usage)


async def test_an_older_sum_that_is_written_later_does_not_stay() -> None:
    reports = InMemoryReportStore()
    runs = Overtaken(reports)
    await runs.add(new(a_run(id="run_1")))
    await reports.count("run_1", 1, [a_counter(process="one", metric=REQUESTS, value=1)])
    used = await Accounts(reports=reports, prices=InMemoryPriceStore()).note("run_1", runs)
    kept = (await runs.get("run_1")).usage
    assert kept is not None
    assert (kept.requests, used.requests) == (3, 3)
