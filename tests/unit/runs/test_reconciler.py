"""The loop itself: real tasks, woken rather than waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from fake_ray import FakeRayJobs
from run_steps import ControlPlane, eventually

from daftray.domain.cluster import JobStatus
from daftray.domain.ports import Claim
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import reconciler
from daftray.runs.context import StepContext, StepOutcome


@asynccontextmanager
async def driving(plane: ControlPlane) -> AsyncGenerator[None]:
    """Let the loop run, with a clock that goes on."""

    async def tick() -> None:
        while True:
            plane.clock.move(0.05)
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(plane.reconciler().serve()), asyncio.create_task(tick())]
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
        most = max(most, await plane.stores.runs.occupying("local"))
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
    claimed = await plane.stores.runs.claim_due(other, now=plane.clock.now() + timedelta(seconds=1), limit=5)
    assert [one.id for one in claimed] == [run.id]


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
    monkeypatch.setattr(reconciler, "MOST_FAILURES", 1)

    async def both_done() -> bool:
        return all([(await plane.stores.runs.get(one.id)).phase is RunPhase.DONE for one in (broken, sound)])

    async with driving(plane):
        await eventually(both_done)
    assert (await plane.stores.runs.get(broken.id)).reason is FailureReason.INTERNAL
    assert (await plane.stores.runs.get(sound.id)).status is RunStatus.SUCCEEDED
