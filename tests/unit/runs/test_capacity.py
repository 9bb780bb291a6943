"""What a pending run is told: what it asks for and what is free, or that something is installed."""

from __future__ import annotations

import pytest
from factories import a_run
from fake_ray import FakeRayJobs
from fakes import FakeClock
from msgspec.structs import replace

from daftray.domain.cluster import ClusterResources, Job, JobStatus
from daftray.domain.spec import Resources
from daftray.domain.status import RunPhase
from daftray.runs.capacity import Capacity

GIB = 1024**3
SMALL = ClusterResources(
    nodes=1, cpus=2, gpus=0, memory=4 * GIB, cpus_free=0.5, gpus_free=0, memory_free=GIB, head_memory_free=GIB
)
PENDING = Job(submission_id="s-1", status=JobStatus.PENDING)


def a_capacity(there: ClusterResources = SMALL) -> tuple[Capacity, FakeRayJobs, FakeClock]:
    rayjobs, clock = FakeRayJobs(), FakeClock()
    rayjobs.room = there
    return Capacity(rayjobs, clock), rayjobs, clock


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Resources(num_cpus=1), "it asks for 1 CPUs; 0.5 of 2 are free"),
        (Resources(num_gpus=1, num_cpus=0.5), "it asks for 1 GPUs; 0 of 0 are free"),
        (Resources(memory=2 * GIB), "it asks for 2 GiB of memory; 1 of 4 are free"),
    ],
)
async def test_a_run_is_told_what_it_lacks(asked: Resources, said: str) -> None:
    capacity, _, _ = a_capacity()
    waiting = await capacity.waited_for(a_run(phase=RunPhase.STARTING, resources=asked), PENDING)
    assert waiting == f"the cluster to have room for the driver: {said}"


async def test_all_that_is_lacking_is_said() -> None:
    capacity, _, _ = a_capacity()
    run = a_run(phase=RunPhase.INSTALLING, resources=Resources(num_cpus=1, num_gpus=2))
    waiting = await capacity.waited_for(run, PENDING) or ""
    assert "1 CPUs" in waiting
    assert "2 GPUs" in waiting


@pytest.mark.parametrize(("phase", "word"), [(RunPhase.INSTALLING, "install"), (RunPhase.STARTING, "start")])
async def test_a_run_for_which_there_is_room_waits_for_what_comes_next(phase: RunPhase, word: str) -> None:
    capacity, rayjobs, _ = a_capacity()
    run = a_run(phase=phase, resources=Resources(num_cpus=0.5))
    assert word in (await capacity.waited_for(run, PENDING) or "")
    rayjobs.unreachable = True
    assert word in (await capacity.waited_for(run, PENDING) or "")


async def test_a_run_whose_driver_is_there_waits_for_nothing() -> None:
    capacity, _, _ = a_capacity()
    run = a_run(phase=RunPhase.STARTING, resources=Resources(num_cpus=9))
    assert await capacity.waited_for(run, replace(PENDING, status=JobStatus.RUNNING)) is None
    assert await capacity.waited_for(replace(run, phase=RunPhase.RUNNING), PENDING) is None


async def test_the_cluster_is_not_asked_for_each_run() -> None:
    capacity, rayjobs, clock = a_capacity()
    assert await capacity.now() == SMALL
    rayjobs.room = replace(SMALL, cpus_free=2)
    assert await capacity.now() == SMALL
    clock.move(3)
    assert (await capacity.now() or SMALL).cpus_free == 2


async def test_what_a_silent_cluster_had_before_does_not_count() -> None:
    capacity, rayjobs, clock = a_capacity()
    await capacity.now()
    rayjobs.unreachable = True
    clock.move(3)
    assert await capacity.now() is None
