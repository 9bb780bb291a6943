"""The loop itself: real tasks, woken rather than waited for."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from fake_ray import FakeRayJobs
from run_steps import ControlPlane, eventually

from daftray.domain.cluster import Job, JobStatus
from daftray.domain.errors import DaftrayError, SecretUnreadableError, StoreUnavailableError
from daftray.domain.ports import Claim
from daftray.domain.run import Run, RunEvent
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import reconciler
from daftray.runs.context import StepContext, StepOutcome


@asynccontextmanager
async def driving(plane: ControlPlane, loop: reconciler.Reconciler | None = None) -> AsyncGenerator[None]:
    """Let the loop run, with a clock that goes on."""

    async def tick() -> None:
        while True:
            plane.clock.move(0.05)
            await asyncio.sleep(0.005)

    loop = loop or plane.reconciler()
    tasks = [asyncio.create_task(loop.serve()), asyncio.create_task(tick())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_burst_ends_in_order_and_never_takes_more_than_its_places() -> None:
    plane = await ControlPlane(places=2, rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()
    runs = [await plane.create() for _ in range(12)]
    most = 0

    async def all_done() -> bool:
        nonlocal most
        most = max(most, (await plane.stores.runs.queue_place(runs[0])).taken)
        return all([(await plane.stores.runs.get(run.id)).phase is RunPhase.DONE for run in runs])

    async with driving(plane):
        await eventually(all_done)
    assert most <= 2
    assert list(plane.rayjobs.jobs) == [f"{run.id}-1" for run in runs]


async def test_a_loop_that_is_stopped_gives_its_claims_back() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.RUNNING,))).open()
    run = await plane.create()

    async def started() -> bool:
        return (await plane.stores.runs.get(run.id)).phase is RunPhase.STARTING

    async with driving(plane):
        await eventually(started)
    other = Claim(token="another", lease=timedelta(seconds=30))
    plane.clock.move(1)
    claimed = await plane.stores.runs.claim_due(other, limit=5)
    assert [one.id for one in claimed] == [run.id]


async def test_the_claim_of_a_run_is_renewed_while_a_step_takes_long_and_the_store_may_be_away() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    claim = Claim(token="short", lease=timedelta(milliseconds=30))
    plane.context = dataclasses.replace(plane.context, claim=claim)
    renew, renewed = plane.stores.runs.renew, [0]

    async def hangs(*_: object, **__: object) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async def noted(by: Claim, run_ids: list[str]) -> None:
        assert by == claim
        renewed.append(run_ids.count(run.id))
        if sum(renewed) == 1:
            raise StoreUnavailableError
        await renew(by, run_ids)

    plane.mirrors.pin = hangs
    plane.stores.runs.renew = noted  # type: ignore[method-assign] (the same call, failing at first)
    loop = asyncio.create_task(plane.reconciler().serve())
    async with asyncio.timeout(20):
        while sum(renewed) < 3:  # noqa: ASYNC110 (the store tells nobody)
            await asyncio.sleep(0.005)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def test_a_cancel_wakes_a_run_that_waits() -> None:
    plane = await ControlPlane(places=1, rayjobs=FakeRayJobs((JobStatus.RUNNING,))).open()
    first, queued = await plane.create(), await plane.create()

    async def waits() -> bool:
        now = await plane.stores.runs.get(queued.id)
        return now.phase is RunPhase.QUEUED and now.waiting_for is not None

    async def cancelled() -> bool:
        return (await plane.stores.runs.get(queued.id)).status is RunStatus.CANCELLED

    async with driving(plane):
        await eventually(waits)
        await plane.runs.cancel(plane.project, queued.id)
        await eventually(cancelled)
    assert list(plane.rayjobs.jobs) == [f"{first.id}-1"]


async def test_a_step_that_keeps_failing_fails_its_run_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()
    broken, sound = await plane.create(name="broken"), await plane.create()
    real = reconciler.STEPS[RunPhase.PINNING]

    async def fails(run: Run, context: StepContext) -> StepOutcome:
        if run.name == "broken":
            raise RuntimeError("a defect")
        return await real(run, context)

    monkeypatch.setitem(reconciler.STEPS, RunPhase.PINNING, fails)

    async def both_done() -> bool:
        return all([(await plane.stores.runs.get(one.id)).phase is RunPhase.DONE for one in (broken, sound)])

    async with driving(plane):
        await eventually(both_done)
    assert (await plane.stores.runs.get(broken.id)).reason is FailureReason.INTERNAL
    assert (await plane.stores.runs.get(sound.id)).status is RunStatus.SUCCEEDED


async def ended(plane: ControlPlane, run: Run) -> bool:
    return (await plane.stores.runs.get(run.id)).phase is RunPhase.DONE


async def test_a_step_that_fails_for_a_while_costs_its_run_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()
    run = await plane.create()
    real, failures = reconciler.STEPS[RunPhase.PINNING], 0

    async def fails(run: Run, context: StepContext) -> StepOutcome:
        nonlocal failures
        failures += 1
        if failures < plane.reconciler()._patience.failures:
            raise RuntimeError("a defect")
        return await real(run, context)

    monkeypatch.setitem(reconciler.STEPS, RunPhase.PINNING, fails)
    async with driving(plane):
        await eventually(lambda: ended(plane, run))
    assert (await plane.stores.runs.get(run.id)).status is RunStatus.SUCCEEDED


async def test_a_store_that_is_away_for_long_fails_no_run() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()
    run = await plane.create()
    reports, failures = plane.stores.reports.reports, 0

    async def away(run_id: str, attempt: int) -> object:
        nonlocal failures
        failures += 1
        if failures < 20:
            raise StoreUnavailableError
        return await reports(run_id, attempt)

    plane.stores.reports.reports = away  # type: ignore[method-assign] (the same call, failing at first)
    async with driving(plane):
        await eventually(lambda: ended(plane, run))
    assert (await plane.stores.runs.get(run.id)).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("cancel", [False, True])
async def test_a_run_whose_end_keeps_failing_gives_its_place_to_the_next(cancel: bool) -> None:
    plane = await ControlPlane(places=1, rayjobs=FakeRayJobs((JobStatus.RUNNING,))).open()
    broken, sound = await plane.create(), await plane.create()
    get = plane.rayjobs.get

    async def fails(submission_id: str) -> Job:
        if submission_id == broken.submission_id and submission_id in plane.rayjobs.jobs:
            raise SecretUnreadableError
        if submission_id in plane.rayjobs.jobs:
            plane.rayjobs.end(submission_id, JobStatus.SUCCEEDED)
        return await get(submission_id)

    plane.rayjobs.get = fails

    async def submitted() -> bool:
        return bool(plane.rayjobs.jobs)

    async def both_done() -> bool:
        return await ended(plane, broken) and await ended(plane, sound)

    async with driving(plane):
        await eventually(submitted)
        if cancel:
            await plane.runs.cancel(plane.project, broken.id)
        await eventually(both_done)
    now = await plane.stores.runs.get(broken.id)
    assert (now.status, now.reason) == (
        (RunStatus.CANCELLED, None) if cancel else (RunStatus.FAILED, FailureReason.INTERNAL)
    )
    assert (await plane.stores.runs.get(sound.id)).status is RunStatus.SUCCEEDED


async def test_a_failure_that_cannot_be_written_down_leaves_the_run_to_be_taken_up_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()
    run = await plane.create()
    get, failures = plane.stores.runs.get, 0

    async def away(run_id: str) -> Run:
        nonlocal failures
        failures += 1
        if failures in {1, 2, 5, 6}:
            raise StoreUnavailableError
        return await get(run_id)

    plane.stores.runs.get = away

    async def is_done() -> bool:
        plane.wake.all()
        return (await get(run.id)).phase is RunPhase.DONE

    async with driving(plane):
        await eventually(is_done)
    assert (await get(run.id)).status is RunStatus.SUCCEEDED
    assert "a run is let go" in caplog.messages


async def test_a_cancel_cuts_a_long_step_off() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    began = asyncio.Event()

    async def hangs(*_: object, **__: object) -> str:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    plane.mirrors.pin = hangs
    async with driving(plane):
        await asyncio.wait_for(began.wait(), 20)
        await plane.runs.cancel(plane.project, run.id)
        await eventually(lambda: ended(plane, run))
    assert (await plane.stores.runs.get(run.id)).status is RunStatus.CANCELLED


@pytest.mark.parametrize("call", ["get", "read_log"])
async def test_a_cancel_cuts_a_look_at_a_head_that_hangs(call: str) -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.RUNNING,))).open()
    run = await plane.create()
    real, began = getattr(plane.rayjobs, call), asyncio.Event()

    async def hangs(*args: object, **more: object) -> object:
        now = await plane.stores.runs.get(run.id)
        if now.phase is RunPhase.STARTING and now.cancel_requested_at is None:
            began.set()
            await asyncio.Event().wait()
        return await real(*args, **more)

    setattr(plane.rayjobs, call, hangs)
    async with driving(plane):
        await asyncio.wait_for(began.wait(), 20)
        await plane.runs.cancel(plane.project, run.id)
        await eventually(lambda: ended(plane, run))
    assert (await plane.stores.runs.get(run.id)).status is RunStatus.CANCELLED
    assert plane.rayjobs.kills == [run.submission_id]


async def test_what_a_step_of_a_lost_claim_brought_is_dropped() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    thief = Claim(token="another", lease=timedelta(days=1))
    pin = plane.mirrors.pin

    async def loses(*args: object, **more: object) -> str:
        plane.clock.move(24 * 3600)
        await plane.stores.runs.claim_due(thief, limit=5)
        return await pin(*args, **more)  # type: ignore[arg-type] (the port's own arguments)

    plane.mirrors.pin = loses
    loop = plane.reconciler()
    async with driving(plane, loop):
        await eventually(lambda: let_go(plane, loop))
    now = await plane.stores.runs.get(run.id)
    assert (now.phase, now.commit) == (RunPhase.PINNING, None)
    assert len(plane.mirrors.asked) == 1, "it was not taken again"
    pinned, event = now.advance(RunPhase.QUEUED, plane.clock.now())
    await plane.stores.runs.save(pinned, (event,), thief)  # the claim is still the other's


async def let_go(plane: ControlPlane, loop: reconciler.Reconciler) -> bool:
    return bool(plane.mirrors.asked) and not loop._driven


@pytest.mark.parametrize("error", [RuntimeError("a defect"), DaftrayError()])
async def test_no_failure_of_one_run_ends_the_loop(error: Exception) -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()
    first = await plane.create()
    save, failures = plane.stores.runs.save, 0

    async def fails(run: Run, events: tuple[RunEvent, ...], claim: Claim) -> None:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise error
        await save(run, events, claim)

    plane.stores.runs.save = fails  # type: ignore[method-assign] (the same call, failing at first)
    async with driving(plane):
        await eventually(lambda: ended(plane, first))
        second = await plane.create()
        await eventually(lambda: ended(plane, second))
    assert (await plane.stores.runs.get(second.id)).status is RunStatus.SUCCEEDED
