"""Each part of a run's way has its time; what takes longer ends with the reason that says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import a_counter, a_finished, a_started
from fake_ray import FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus
from daftray.domain.run import Run
from daftray.domain.spec import Retries
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import deadlines

RUNS_ON = (JobStatus.RUNNING,)
PENDS = (JobStatus.PENDING,)


async def a_plane(script: tuple[JobStatus, ...], *, places: int = 1) -> ControlPlane:
    return await ControlPlane(places=places, rayjobs=FakeRayJobs(script)).open()


async def running(plane: ControlPlane, **fields: object) -> Run:
    run = await plane.create(**fields)
    await plane.until(run, RunPhase.STARTING)
    await plane.stores.reports.started(run.id, a_started())
    return await plane.until(run, RunPhase.RUNNING)


async def test_a_run_that_gets_no_place_in_time_fails_in_the_queue() -> None:
    plane = await a_plane(RUNS_ON)
    await running(plane)
    run = await plane.create(queue_timeout_s=60)
    await plane.until(run, RunPhase.QUEUED)
    assert (await plane.step(run)).again_in <= timedelta(seconds=60)
    plane.clock.move(61)
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.QUEUE_TIMEOUT)
    assert "queue_timeout_s" in (done.reason_detail or "")
    assert f"{run.id}-1" not in plane.rayjobs.jobs


async def test_the_pause_before_a_further_attempt_is_not_waiting_for_a_place() -> None:
    plane = await ControlPlane(places=1, rayjobs=FakeRayJobs((JobStatus.STOPPED,))).open()
    run = await plane.create(queue_timeout_s=60, retries=Retries(max=1, backoff=600))
    await plane.until(run, RunPhase.STARTING)
    pausing = await plane.until(run, RunPhase.QUEUED)
    assert pausing.not_before is not None
    plane.clock.move(590)
    assert (await plane.step(run)).run.phase is RunPhase.QUEUED
    plane.clock.set(pausing.not_before + timedelta(seconds=59))
    assert deadlines.queue_ends(pausing, plane.context.policy) == pausing.not_before + timedelta(seconds=60)
    assert (await plane.until(run)).reason is FailureReason.JOB_LOST


async def test_a_run_whose_code_does_not_start_in_time_is_stopped() -> None:
    plane = await a_plane(PENDS)
    run = await plane.create(start_timeout_s=120)
    await plane.until(run, RunPhase.STARTING)
    plane.clock.move(119)
    assert (await plane.step(run)).run.phase is RunPhase.STARTING
    plane.clock.move(2)
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.START_TIMEOUT)
    assert "start_timeout_s" in (done.reason_detail or "")
    assert plane.rayjobs.kills == [run.submission_id]


async def test_a_run_that_runs_too_long_is_stopped_and_says_so() -> None:
    plane = await a_plane(RUNS_ON)
    run = await running(plane, timeout_s=600)
    plane.clock.move(590)
    assert (await plane.step(run)).run.phase is RunPhase.RUNNING
    plane.clock.move(11)
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.RUN_TIMEOUT)
    assert plane.rayjobs.kills == [run.submission_id]
    phases = [event.phase for event in await plane.stores.runs.events(run.id)]
    assert phases[-3:] == [RunPhase.CANCELLING, RunPhase.HARVESTING, RunPhase.DONE]


async def test_a_cancel_outranks_a_timeout_that_is_carried_out() -> None:
    plane = await a_plane(RUNS_ON)
    run = await running(plane, timeout_s=1)
    plane.clock.move(2)
    await plane.until(run, RunPhase.CANCELLING)
    await plane.runs.cancel(plane.project, run.id)
    assert (await plane.until(run)).status is RunStatus.CANCELLED


async def silent(plane: ControlPlane, run: Run) -> Run:
    plane.rayjobs.unreachable = True
    await plane.step(run)
    plane.clock.move(plane.context.policy.cluster_deadline.total_seconds() + 1)
    return (await plane.step(run)).run


async def test_a_cluster_that_is_silent_for_long_fails_the_run_as_unavailable() -> None:
    plane = await a_plane(RUNS_ON)
    run = await running(plane)
    assert (await silent(plane, run)).phase is RunPhase.HARVESTING
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.CLUSTER_UNAVAILABLE)
    assert done.reason is not None
    assert done.reason.owner == "platform"


async def test_a_run_that_still_reports_is_not_failed_for_its_silent_cluster() -> None:
    plane = await a_plane(RUNS_ON)
    run = await running(plane)
    plane.rayjobs.unreachable = True
    await plane.step(run)
    for value in range(5):
        plane.clock.move(plane.context.policy.cluster_deadline.total_seconds() - 1)
        await plane.stores.reports.count(run.id, 1, [a_counter(value=value)])
        assert (await plane.step(run)).run.phase is RunPhase.RUNNING
    plane.rayjobs.unreachable = False
    seen = (await plane.step(run)).run
    assert (seen.phase, seen.cluster_silent_since, seen.waiting_for) == (RunPhase.RUNNING, None, None)


@pytest.mark.parametrize(
    ("exit_code", "status"), [(0, RunStatus.SUCCEEDED), (3, RunStatus.FAILED)], ids=["well", "badly"]
)
async def test_the_runners_last_word_counts_where_the_cluster_never_tells(
    exit_code: int, status: RunStatus
) -> None:
    plane = await a_plane(RUNS_ON)
    run = await running(plane)
    plane.rayjobs.unreachable = True
    report = a_finished(outcome="exited", exit_code=exit_code)
    await plane.stores.reports.finished(run.id, report, None)
    await silent(plane, run)
    done = await plane.until(run)
    assert (done.status, done.exit_code) == (status, exit_code)


async def test_a_cluster_that_is_away_before_the_submission_is_waited_for_and_not_for_ever() -> None:
    plane = await a_plane(RUNS_ON)
    run = await plane.create()
    await plane.until(run, RunPhase.PREPARING)
    assert (await silent(plane, run)).phase is RunPhase.HARVESTING
    assert (await plane.until(run)).reason is FailureReason.CLUSTER_UNAVAILABLE
