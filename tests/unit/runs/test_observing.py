# ruff: noqa: ARG001 (what stands in for a call takes what the call takes)
"""What a look at a job makes of its run."""

from __future__ import annotations

import pytest
from factories import a_started
from fake_ray import FAILS, FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.cluster import ClusterInfo, Job, JobStatus
from daftray.domain.errors import ClusterError, ClusterRefusedError, ClusterUnreachableError
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import observing

GOES_ON = (JobStatus.PENDING, JobStatus.RUNNING)


async def a_plane(script: tuple[JobStatus, ...] = GOES_ON) -> ControlPlane:
    return await ControlPlane(rayjobs=FakeRayJobs(script)).open()


async def a_job(plane: ControlPlane, **fields: object) -> Run:
    run = await plane.create(**fields)
    return await plane.until(run, RunPhase.INSTALLING, RunPhase.STARTING)


async def test_a_run_is_running_when_its_driver_says_so_and_not_before() -> None:
    plane = await a_plane()
    run = await a_job(plane, environment=Environment(dependencies=["six"]))
    phases = [(await plane.step(run)).run.phase for _ in range(3)]
    assert phases == [RunPhase.INSTALLING, RunPhase.STARTING, RunPhase.STARTING]
    await plane.stores.reports.started(run.id, a_started())
    now = (await plane.step(run)).run
    assert (now.phase, now.status) == (RunPhase.RUNNING, RunStatus.RUNNING)
    assert now.started_at is not None


async def test_a_job_that_pends_says_what_for() -> None:
    plane = await a_plane((JobStatus.PENDING,))
    installing = (await plane.step(await a_job(plane, environment=Environment(dependencies=["six"])))).run
    starting = (await plane.step(await a_job(plane))).run
    assert "install" in (installing.waiting_for or "")
    assert "driver" in (starting.waiting_for or "")


async def test_where_a_run_is_found_in_ray_is_kept_once_it_is_known() -> None:
    plane = await a_plane()
    run = await a_job(plane)
    await plane.step(run)
    now = (await plane.step(run)).run
    assert now.ray is not None
    assert (now.ray.submission_id, now.ray.job_id) == (run.submission_id, "02000000")
    assert (now.ray.dashboard_url or "").endswith("/02000000")
    assert now.current.ray_job_id == "02000000"


async def test_the_log_is_copied_while_it_grows_and_looked_at_more_often_then() -> None:
    plane = await a_plane()
    run = await a_job(plane)
    await plane.step(run)
    plane.rayjobs.write(run.submission_id, b"one\n")
    grew = await plane.step(run)
    quiet = await plane.step(run)
    assert (grew.again_in, quiet.again_in) == (observing.GROWING_POLL, observing.QUIET_POLL)
    assert (await plane.stores.runs.get(run.id)).current.log_size == 4


@pytest.mark.parametrize("error", [ClusterUnreachableError("no route"), ClusterRefusedError("the token")])
async def test_a_cluster_that_does_not_tell_changes_nothing_but_the_next_look(error: ClusterError) -> None:
    plane = await a_plane()
    run = await a_job(plane)
    before = (await plane.step(run)).run
    get = plane.rayjobs.get

    async def fails(submission_id: str) -> Job:
        raise error

    plane.rayjobs.get = fails
    for _ in range(20):
        outcome = await plane.step(run)
        assert outcome.run.phase is before.phase
        assert outcome.run.waiting_for == f"the cluster: {error.detail}"
    plane.rayjobs.get = get
    assert (await plane.step(run)).run.waiting_for is None


@pytest.mark.parametrize("error", [ClusterUnreachableError("no route"), ClusterRefusedError("the token")])
async def test_a_log_that_cannot_be_read_holds_nothing_else_up(error: ClusterError) -> None:
    plane = await a_plane(FAILS)
    run = await a_job(plane)

    async def fails(job: Job, *, offset: int, limit: int) -> bytes:
        raise error

    plane.rayjobs.read_log = fails
    assert (await plane.until(run, RunPhase.HARVESTING)).phase is RunPhase.HARVESTING


async def test_a_job_that_is_missing_is_lost_with_its_cluster_or_alone() -> None:
    plane = await a_plane()
    alone, together = await a_job(plane), await a_job(plane)
    del plane.rayjobs.jobs[alone.submission_id]
    assert (await plane.until(alone)).reason is FailureReason.JOB_LOST
    plane.rayjobs.restart()
    assert (await plane.until(together)).reason is FailureReason.CLUSTER_LOST


@pytest.mark.parametrize("error", [ClusterUnreachableError(), ClusterRefusedError()])
async def test_nothing_is_lost_while_the_cluster_does_not_say_who_it_is(error: ClusterError) -> None:
    plane = await a_plane()
    run = await a_job(plane)
    plane.rayjobs.restart()

    async def fails() -> ClusterInfo:
        raise error

    plane.rayjobs.info = fails
    assert (await plane.step(run)).run.phase is RunPhase.STARTING


async def test_a_job_that_was_stopped_from_outside_is_lost() -> None:
    plane = await a_plane((JobStatus.RUNNING, JobStatus.STOPPED))
    done = await plane.until(await a_job(plane))
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.JOB_LOST)
