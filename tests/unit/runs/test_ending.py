"""How a run is brought to its end: stopped, harvested, and given up where nothing helps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import a_counter, a_started
from fake_ray import FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus
from daftray.domain.errors import ClusterRefusedError
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import ending
from daftray.runs.context import StepOutcome

GOES_ON = (JobStatus.PENDING, JobStatus.RUNNING)
PENDS = (JobStatus.PENDING,)


async def a_plane(script: tuple[JobStatus, ...] = GOES_ON) -> ControlPlane:
    return await ControlPlane(rayjobs=FakeRayJobs(script)).open()


async def in_phase(plane: ControlPlane, phase: RunPhase) -> Run:
    run = await plane.create()
    if phase is RunPhase.RUNNING:
        await plane.until(run, RunPhase.STARTING)
        await plane.stores.reports.started(run.id, a_started())
    return await plane.until(run, phase)


async def cancelled(plane: ControlPlane, run: Run) -> Run:
    await plane.runs.cancel(plane.project, run.id)
    return await plane.until(run)


@pytest.mark.parametrize("phase", [RunPhase.PINNING, RunPhase.QUEUED, RunPhase.PREPARING])
async def test_a_run_without_a_job_is_cancelled_without_a_word_to_the_cluster(phase: RunPhase) -> None:
    plane = await a_plane()
    run = await in_phase(plane, phase)
    plane.rayjobs.unreachable = True
    done = await cancelled(plane, run)
    assert (done.status, done.reason, done.exit_code) == (RunStatus.CANCELLED, None, None)
    assert plane.rayjobs.jobs == {}


@pytest.mark.parametrize("phase", [RunPhase.STARTING, RunPhase.RUNNING])
async def test_a_job_that_runs_is_stopped(phase: RunPhase) -> None:
    plane = await a_plane()
    run = await in_phase(plane, phase)
    await plane.rayjobs.get(run.submission_id)  # it runs
    done = await cancelled(plane, run)
    assert (done.status, done.reason_detail) == (RunStatus.CANCELLED, "Cancelled by request.")
    assert plane.rayjobs.kills == [run.submission_id]
    assert done.current.status is RunStatus.CANCELLED


async def test_a_job_that_pends_is_ended_as_well() -> None:
    plane = await a_plane(PENDS)
    run = await in_phase(plane, RunPhase.STARTING)
    assert (await cancelled(plane, run)).status is RunStatus.CANCELLED
    assert plane.rayjobs.kills == [run.submission_id]


async def test_what_a_run_left_is_cleared_away_and_what_could_not_go_is_said() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.RUNNING)
    plane.rayjobs.leave(run.submission_id, "actor one", "process 4711")
    plane.rayjobs.leave(run.submission_id, "actor two", stubborn=True)
    done = await cancelled(plane, run)
    assert plane.rayjobs.jobs[run.submission_id].left == []
    assert done.reason_detail == "Cancelled by request. Left on the cluster: actor two."


async def test_a_job_that_is_gone_has_ended() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.STARTING)
    plane.rayjobs.restart()
    assert (await cancelled(plane, run)).reason_detail == "Cancelled by request."


async def test_a_cluster_that_does_not_answer_is_asked_again_until_the_deadline_and_the_run_says_so() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.STARTING)
    plane.rayjobs.unreachable = True
    await plane.runs.cancel(plane.project, run.id)
    await plane.until(run, RunPhase.CANCELLING)
    waits = (await plane.step(run)).run
    assert (waits.phase, (waits.waiting_for or "")[:11]) == (RunPhase.CANCELLING, "the cluster")
    plane.rayjobs.unreachable = False
    assert (await plane.until(run)).reason_detail == "Cancelled by request."
    assert plane.rayjobs.kills == [run.submission_id]


async def test_a_cluster_that_refuses_to_stop_a_job_holds_no_run_for_ever() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.STARTING)

    async def refused(submission_id: str, **_: object) -> tuple[str, ...]:
        raise ClusterRefusedError(f"no token for {submission_id}")

    plane.rayjobs.sweep = refused
    done = await cancelled(plane, run)
    assert done.status is RunStatus.CANCELLED
    assert "no token for" in (done.reason_detail or "")


async def test_a_cancel_after_the_code_has_ended_clears_away_what_it_left() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    plane.rayjobs.leave(run.submission_id, "actor one")
    plane.rayjobs.leave(run.submission_id, "actor two", stubborn=True)
    done = await cancelled(plane, run)
    assert plane.rayjobs.jobs[run.submission_id].left == []
    assert (done.status, done.reason_detail) == (
        RunStatus.CANCELLED,
        "Cancelled by request. Left on the cluster: actor two.",
    )
    assert len(plane.rayjobs.sweeps) == 1


async def test_a_late_cancel_does_not_forget_what_a_silent_cluster_may_still_hold() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    plane.rayjobs.leave(run.submission_id, "actor one")
    plane.rayjobs.unreachable = True
    await plane.runs.cancel(plane.project, run.id)
    assert (await plane.step(run)).run.phase is RunPhase.HARVESTING
    plane.rayjobs.unreachable = False
    assert (await plane.until(run)).reason_detail == "Cancelled by request."
    assert plane.rayjobs.jobs[run.submission_id].left == []


async def test_a_late_cancel_says_that_something_may_be_left_where_the_cluster_stays_silent() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    plane.rayjobs.unreachable = True
    done = await cancelled(plane, run)
    assert done.status is RunStatus.CANCELLED
    assert "Left on the cluster: whatever its code left there" in (done.reason_detail or "")


@pytest.mark.parametrize("phase", [RunPhase.STARTING, RunPhase.RUNNING, RunPhase.HARVESTING])
async def test_a_cancel_ends_within_its_bounds_though_the_cluster_never_answers_again(
    phase: RunPhase,
) -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,) if phase is RunPhase.HARVESTING else GOES_ON)
    run = await in_phase(plane, phase)
    plane.rayjobs.unreachable = True
    asked_at, policy = plane.clock.now(), plane.context.policy
    assert (await cancelled(plane, run)).status is RunStatus.CANCELLED
    bound = policy.cancel_deadline + policy.harvest_deadline
    assert plane.clock.now() - asked_at < bound + timedelta(seconds=2)


async def test_a_run_that_ends_by_itself_may_leave_what_it_wants() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    plane.rayjobs.leave(run.submission_id, "actor one")
    assert (await plane.until(run)).status is RunStatus.SUCCEEDED
    assert (plane.rayjobs.jobs[run.submission_id].left, plane.rayjobs.sweeps) == (["actor one"], [])


async def test_the_log_is_whole_before_the_run_has_ended() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.STARTING)
    text = b"x" * 5_000_000
    plane.rayjobs.write(run.submission_id, text)
    done = await plane.until(run)
    archive = plane.context.archive
    assert done.current.log_size == len(text)
    assert await archive.read(run.id, 1, size=len(text), start=0, end=len(text)) == text


async def test_a_log_that_cannot_be_read_to_its_end_is_waited_for_and_not_for_ever() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    plane.rayjobs.unreachable = True
    assert (await plane.step(run)).run.phase is RunPhase.HARVESTING
    plane.clock.move(plane.context.policy.harvest_deadline.total_seconds())
    done = await plane.until(run)
    assert (done.status, done.exit_code) == (RunStatus.SUCCEEDED, 0)


async def test_a_log_is_not_cut_since_no_server_was_there_for_long() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.STARTING)
    text = b"x" * 40_000_000  # more than is copied in a step or two
    plane.rayjobs.write(run.submission_id, text)
    await plane.until(run, RunPhase.HARVESTING)
    plane.clock.move(2 * plane.context.policy.harvest_deadline.total_seconds())
    plane.rayjobs.unreachable = True
    assert (await plane.step(run)).run.phase is RunPhase.HARVESTING
    plane.rayjobs.unreachable = False
    assert (await plane.until(run)).current.log_size == len(text)


async def test_a_job_that_was_left_behind_and_writes_on_holds_no_run_for_ever() -> None:
    plane = await a_plane((JobStatus.RUNNING,))
    run = await in_phase(plane, RunPhase.RUNNING)
    await plane.runs.cancel(plane.project, run.id)
    await plane.until(run, RunPhase.CANCELLING)

    async def refused(submission_id: str, **_: object) -> tuple[str, ...]:
        raise ClusterRefusedError(submission_id)

    plane.rayjobs.sweep = refused
    await plane.until(run, RunPhase.HARVESTING)
    for _ in range(10):
        plane.rayjobs.write(run.submission_id, b"still there\n")
        outcome = await plane.step(run)
        assert outcome.run.phase is RunPhase.HARVESTING
    plane.clock.move(2 * plane.context.policy.harvest_deadline.total_seconds())
    plane.rayjobs.write(run.submission_id, b"still there\n")
    assert (await plane.step(run)).run.phase is RunPhase.DONE


async def test_the_usage_of_a_run_that_has_ended_is_all_that_was_counted() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    await plane.stores.reports.count(run.id, 1, [a_counter(metric="daftray.requests", value=7)])
    await plane.until(run)
    usage = (await plane.stores.runs.get(run.id)).usage
    assert usage is not None
    assert usage.requests == 7


async def given_up(plane: ControlPlane, run: Run) -> StepOutcome:
    return await ending.give_up(await plane.stores.runs.get(run.id), plane.context)


async def test_giving_up_stops_what_runs_and_says_whose_fault_it_is() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.RUNNING)
    outcome = await given_up(plane, run)
    assert plane.rayjobs.stops == [run.submission_id]
    assert outcome.run.verdict is not None
    assert (outcome.run.phase, outcome.run.verdict.reason) == (RunPhase.HARVESTING, FailureReason.INTERNAL)
    plane.rayjobs.unreachable = True
    assert (await given_up(plane, run)).run.phase is RunPhase.HARVESTING


async def test_giving_up_a_harvest_leaves_what_was_decided() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await in_phase(plane, RunPhase.HARVESTING)
    outcome = await given_up(plane, run)
    assert (outcome.run.phase, outcome.run.status) == (RunPhase.DONE, RunStatus.SUCCEEDED)
    assert outcome.events[0].detail == "The end of its log is missing."
    await plane.runs.cancel(plane.project, run.id)
    assert (await given_up(plane, run)).run.status is RunStatus.CANCELLED


async def test_giving_up_a_cancel_says_that_the_job_may_go_on() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.STARTING)
    await plane.runs.cancel(plane.project, run.id)
    await plane.until(run, RunPhase.CANCELLING)
    verdict = (await given_up(plane, run)).run.verdict
    assert verdict is not None
    assert (verdict.status, "its Ray job" in (verdict.detail or "")) == (RunStatus.CANCELLED, True)
