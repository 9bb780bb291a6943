"""A run that has used more than it may is stopped, once, and says what it has used."""

from __future__ import annotations

import pytest
from factories import a_counter, a_finished, a_started
from fake_ray import FakeRayJobs
from run_steps import ADMIN, ControlPlane

from daftray.domain.cluster import JobStatus
from daftray.domain.errors import InvalidInputError
from daftray.domain.metrics import MODEL, REQUESTS, TOKEN_TYPE, TOKENS
from daftray.domain.price import Price, PriceTableRequest
from daftray.domain.run import Run
from daftray.domain.spec import Budget, Entrypoint, FileEntrypoint, Retries, RunRequest
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.projects.prices import Prices

RUNS_ON = (JobStatus.RUNNING,)


async def a_plane(script: tuple[JobStatus, ...] = RUNS_ON) -> ControlPlane:
    return await ControlPlane(places=1, rayjobs=FakeRayJobs(script)).open()


async def running(plane: ControlPlane, **fields: object) -> Run:
    run = await plane.create(**fields)
    return await started(plane, run)


async def started(plane: ControlPlane, run: Run) -> Run:
    now = await plane.until(run, RunPhase.STARTING)
    await plane.stores.reports.started(run.id, a_started(attempt=now.attempt))
    return await plane.until(run, RunPhase.RUNNING)


async def report(plane: ControlPlane, run: Run, *, attempt: int = 1, **used: float) -> None:
    """Let the run report what it has used, by model ``m`` unless it is named."""
    kinds = {"tokens_in": "input", "tokens_out": "output"}
    counters = [
        a_counter(metric=TOKENS, attributes={MODEL: "m", TOKEN_TYPE: kinds[name]}, value=value)
        if name in kinds
        else a_counter(metric=REQUESTS, attributes={MODEL: name}, value=value)
        for name, value in used.items()
    ]
    await plane.stores.reports.count(run.id, attempt, counters)
    await plane.stores.runs.save_usage(run.id, (await plane.accounts.of(run.id)).summary())


async def set_prices(plane: ControlPlane, *prices: Price) -> None:
    store = Prices(store=plane.stores.prices, clock=plane.clock)
    await store.set(plane.project, PriceTableRequest(prices=list(prices)), ADMIN)


async def test_the_first_look_after_the_report_that_crosses_the_budget_stops_the_run() -> None:
    plane = await a_plane()
    run = await running(plane, budget=Budget(tokens=100))
    await report(plane, run, tokens_in=60, tokens_out=40)
    assert (await plane.step(run)).run.phase is RunPhase.RUNNING
    await report(plane, run, tokens_in=60, tokens_out=41)
    assert (await plane.step(run)).run.phase is RunPhase.CANCELLING
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.BUDGET_EXCEEDED)
    assert done.reason_detail == ("The run has used 101 tokens of at most 100 tokens: 101 tokens in all.")
    assert plane.rayjobs.kills == [run.submission_id]
    assert done.reason is not None
    assert done.reason.owner == "user"


async def test_requests_have_a_budget_too() -> None:
    plane = await a_plane()
    run = await running(plane, budget=Budget(requests=2))
    await report(plane, run, m=2, n=1)
    assert (await plane.until(run)).reason is FailureReason.BUDGET_EXCEEDED


async def test_dollars_are_counted_by_the_prices_of_the_runs_time() -> None:
    plane = await a_plane()
    await set_prices(plane, Price(model="m", per_million_tokens_in=1))
    run = await running(plane, budget=Budget(usd=2))
    plane.clock.move(60)
    await set_prices(plane, Price(model="m", per_million_tokens_in=100))
    await report(plane, run, tokens_in=2_000_000)
    assert (await plane.step(run)).run.phase is RunPhase.RUNNING
    await report(plane, run, tokens_in=2_000_001)
    done = await plane.until(run)
    assert done.reason is FailureReason.BUDGET_EXCEEDED
    assert "$2.00" in (done.reason_detail or "")
    assert done.usage is not None
    assert done.usage.cost == 2.000001


async def test_dollars_without_prices_are_refused_before_there_is_a_run() -> None:
    plane = await a_plane()
    with pytest.raises(InvalidInputError) as refused:
        await plane.create(budget=Budget(usd=1))
    assert [issue.path for issue in refused.value.issues] == ["budget.usd"]
    request = RunRequest(
        entrypoint=Entrypoint(file=FileEntrypoint(file_path="main.py")), budget=Budget(usd=1)
    )
    with pytest.raises(InvalidInputError) as refused:
        await plane.runs.create_all(plane.project, [request], ADMIN)
    assert [issue.path for issue in refused.value.issues] == ["runs[0].budget.usd"]
    await set_prices(plane)
    await plane.create(budget=Budget(usd=1))


async def test_a_cancel_outranks_a_budget_that_is_carried_out() -> None:
    plane = await a_plane()
    run = await running(plane, budget=Budget(tokens=1))
    await report(plane, run, tokens_in=5)
    await plane.until(run, RunPhase.CANCELLING)
    await plane.runs.cancel(plane.project, run.id)
    assert (await plane.until(run)).status is RunStatus.CANCELLED


async def test_a_run_that_ended_before_it_was_stopped_keeps_its_end_and_says_so() -> None:
    plane = await a_plane()
    run = await running(plane, budget=Budget(tokens=1))
    await report(plane, run, tokens_in=5)
    plane.rayjobs.end(run.submission_id, JobStatus.SUCCEEDED)
    done = await plane.until(run)
    assert done.status is RunStatus.SUCCEEDED
    (warning,) = done.warnings
    assert "5 tokens of at most 1 tokens" in warning


async def test_a_budget_is_over_all_attempts_and_no_further_one_begins_without_any_left() -> None:
    plane = await a_plane()
    on = (FailureReason.USER_ERROR,)
    run = await running(plane, budget=Budget(tokens=10), retries=Retries(max=5, on=on, backoff=0))
    for attempt, status in ((1, RunPhase.RUNNING), (2, RunPhase.DONE)):
        await report(plane, run, attempt=attempt, tokens_in=6)
        await plane.stores.reports.finished(
            run.id, a_finished(attempt=attempt, outcome="raised", exit_code=1), None
        )
        plane.rayjobs.end(run.submission_of(attempt), JobStatus.FAILED)
        now = await started(plane, run)
        assert now.phase is status
    assert (now.attempt, now.reason) == (2, FailureReason.BUDGET_EXCEEDED)
    assert "12 tokens of at most 10 tokens" in (now.reason_detail or "")
    assert "user_error" in (now.reason_detail or "")


async def test_what_a_budget_in_dollars_could_not_count_is_said() -> None:
    plane = await a_plane()
    await set_prices(plane, Price(model="m", per_million_tokens_in=1))
    run = await running(plane, budget=Budget(usd=1))
    await report(plane, run, unheard_of=3)
    plane.rayjobs.end(run.submission_id, JobStatus.SUCCEEDED)
    (warning,) = (await plane.until(run)).warnings
    assert "unheard_of" in warning
