"""What Ray set aside is asked for now and then, and never shrinks."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from factories import a_run, new
from fake_ray import FakeRayJobs
from fakes import FakeClock, InMemoryReportStore, InMemoryRunStore

from daftray.domain.cluster import Job, JobSubmission, ReservedCpu
from daftray.domain.cpu_seconds import CpuSeconds
from daftray.domain.metrics import summarise
from daftray.domain.run import Run
from daftray.metrics import reservations
from daftray.metrics.reservations import Reservations


class Cluster(FakeRayJobs):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def reserved(self, job: Job, *, at: datetime) -> ReservedCpu:
        self.asked += 1
        return await super().reserved(job, at=at)

    def reserve(self, seconds: float, *, partial: bool = False) -> None:
        (fake,) = self.jobs.values()
        fake.reserved = ReservedCpu(seconds=seconds, partial=partial)


class World:
    def __init__(self) -> None:
        self.cluster, self.reports = Cluster(), InMemoryReportStore()
        self.kept = Reservations(rayjobs=self.cluster, reports=self.reports, clock=FakeClock())
        self.run: Run = a_run(id="run_1")

    async def open(self) -> Job:
        await InMemoryRunStore().add(new(self.run))
        await self.cluster.submit(JobSubmission(submission_id="run_1-1", entrypoint="", runtime_env={}))
        return await self.cluster.get("run_1-1")

    async def cpu(self) -> CpuSeconds:
        return summarise(await self.reports.totals("run_1")).cpu_seconds


@pytest.fixture
def world() -> World:
    return World()


async def test_what_was_set_aside_is_kept_at_the_end(world: World) -> None:
    job = await world.open()
    world.cluster.reserve(12.5)
    await world.kept.settle(world.run, job)
    assert await world.cpu() == CpuSeconds(allocated=12.5, reserved=12.5, source="reserved")


async def test_it_never_shrinks_and_says_that_it_is_a_part(world: World) -> None:
    job = await world.open()
    for seconds, partial in ((12.5, False), (9, True)):
        world.cluster.reserve(seconds, partial=partial)
        await world.kept.settle(world.run, job)
    assert await world.cpu() == CpuSeconds(allocated=12.5, reserved=12.5, source="reserved", partial=True)


async def test_a_run_that_reserved_nothing_has_no_such_figure(world: World) -> None:
    await world.kept.settle(world.run, await world.open())
    assert await world.cpu() == CpuSeconds()


async def test_a_cluster_that_is_silent_at_the_end_leaves_a_part(world: World) -> None:
    job = await world.open()
    world.cluster.unreachable = True
    await world.kept.settle(world.run, job)
    assert await world.cpu() == CpuSeconds(), "nothing is known"
    world.cluster.unreachable = False
    world.cluster.reserve(3)
    await world.kept.settle(world.run, job)
    world.cluster.unreachable = True
    await world.kept.settle(world.run, job)
    assert await world.cpu() == CpuSeconds(allocated=3, reserved=3, source="reserved", partial=True)


async def test_the_end_of_a_run_waits_for_no_cluster_that_says_nothing(world: World) -> None:
    class Mute(Cluster):
        async def reserved(self, job: Job, *, at: datetime) -> ReservedCpu:
            await asyncio.Event().wait()
            return await super().reserved(job, at=at)

    job, mute = await world.open(), Mute()
    kept = Reservations(rayjobs=mute, reports=world.reports, clock=FakeClock(), settle_within_s=0)
    async with asyncio.timeout(10):
        await kept.settle(world.run, job)
    assert await world.cpu() == CpuSeconds(), "nothing is known"


async def test_a_run_that_goes_on_is_looked_at_now_and_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await world.open()
    world.cluster.reserve(2)
    world.kept.look(world.run, job)
    await asyncio.sleep(0)
    assert world.cluster.asked == 0, "not at once: most runs are short"
    monkeypatch.setattr(reservations, "LOOK_EVERY_S", 0)
    world.kept = Reservations(rayjobs=world.cluster, reports=world.reports, clock=FakeClock())
    for _ in range(3):
        world.kept.look(world.run, job)
    for _ in range(5):
        await asyncio.sleep(0)
    assert world.cluster.asked == 1, "one at a time"
    assert (await world.cpu()).reserved == 2
