"""Further attempts: after which reasons, how often, how long after, and what they may not touch."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import COMMIT, a_finished, a_run, a_started, at
from fake_ray import FAILS, FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, JobSubmission
from daftray.domain.errors import SourceNotFoundError
from daftray.domain.run import Attempt, Run, Verdict
from daftray.domain.spec import Retries
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs.retrying import next_attempt_in

LOST, MINE = FailureReason.JOB_LOST, FailureReason.USER_ERROR


def failed(reason: FailureReason, *, before: tuple[FailureReason, ...] = (), **fields: object) -> Run:
    attempts = tuple(
        Attempt(number=number, submission_id=f"s-{number}", status=RunStatus.FAILED, reason=one)
        for number, one in enumerate(before, 1)
    )
    verdict = Verdict(status=RunStatus.FAILED, reason=reason)
    return a_run(attempts=attempts, attempt=len(before) + 1, verdict=verdict, **fields)


@pytest.mark.parametrize(
    ("reason", "retries", "again"),
    [
        (LOST, None, False),
        (LOST, Retries(max=1), True),
        (MINE, Retries(max=1), False),
        (MINE, Retries(max=1, on=(MINE,)), True),
        (LOST, Retries(max=1, on=(MINE,)), False),
        (LOST, Retries(max=1, on=()), False),
        (FailureReason.QUEUE_TIMEOUT, Retries(max=1), False),
    ],
)
def test_a_run_is_tried_again_for_the_reasons_that_it_names(
    reason: FailureReason, retries: Retries | None, again: bool
) -> None:
    assert (next_attempt_in(failed(reason, retries=retries)) is not None) is again


def test_each_pause_is_twice_the_one_before_and_an_hour_at_most() -> None:
    retries = Retries(max=20, backoff=100)
    pauses = [next_attempt_in(failed(LOST, before=(LOST,) * count, retries=retries)) for count in range(7)]
    assert pauses == [timedelta(seconds=one) for one in (100, 200, 400, 800, 1600, 3200, 3600)]
    assert next_attempt_in(failed(LOST, before=(LOST,) * 20, retries=retries)) is None


def test_what_ray_lost_before_the_code_ran_costs_no_retry() -> None:
    package = FailureReason.PACKAGE_LOST
    assert next_attempt_in(failed(package)) == timedelta(0)
    assert next_attempt_in(failed(package, before=(package,))) == timedelta(0)
    assert next_attempt_in(failed(package, before=(package, package))) is None
    retries = Retries(max=1, backoff=5)
    assert next_attempt_in(failed(LOST, before=(package, package), retries=retries)) == timedelta(seconds=5)
    assert next_attempt_in(failed(LOST, before=(package, LOST), retries=retries)) is None


@pytest.mark.parametrize("status", [RunStatus.SUCCEEDED, RunStatus.CANCELLED])
def test_what_did_not_fail_is_not_tried_again(status: RunStatus) -> None:
    run = a_run(verdict=Verdict(status=status), retries=Retries(max=9, on=tuple(FailureReason)))
    assert next_attempt_in(run) is None


def test_a_cancelled_run_is_not_tried_again() -> None:
    assert next_attempt_in(failed(LOST, retries=Retries(max=9), cancel_requested_at=at(0))) is None


async def test_the_second_attempt_is_another_job_and_its_word_is_the_last() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(FAILS)).open()
    run = await plane.create(retries=Retries(max=1, on=(MINE,), backoff=30))
    await plane.until(run, RunPhase.STARTING)
    plane.rayjobs.write(f"{run.id}-1", b"one\ntwo\n")
    waiting = await plane.until(run, RunPhase.QUEUED)
    assert (waiting.status, waiting.attempt, waiting.reason) == (RunStatus.PENDING, 2, None)
    assert waiting.attempts[0].last_lines == ("one", "two")
    said = (await plane.runs.get(plane.project, run.id)).waiting_for or ""
    assert "next attempt" in said
    plane.rayjobs.script = (JobStatus.SUCCEEDED,)
    before = plane.clock.now()
    await plane.stores.reports.finished(run.id, a_finished(outcome="raised", exit_code=3, attempt=1), None)
    done = await plane.until(run)
    assert plane.clock.now() - before >= timedelta(seconds=30)
    assert (done.status, done.exit_code, done.attempt) == (RunStatus.SUCCEEDED, 0, 2)
    assert [one.status for one in done.attempts] == [RunStatus.FAILED, RunStatus.SUCCEEDED]
    assert list(plane.rayjobs.jobs) == [f"{run.id}-1", f"{run.id}-2"]
    assert [event.attempt for event in await plane.stores.runs.events(run.id)][-1] == 2


async def test_of_a_long_log_the_last_lines_are_kept_with_the_attempt_that_failed() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(FAILS)).open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    plane.rayjobs.write(run.submission_id, b"".join(b"line %d\n" % number for number in range(5000)))
    done = await plane.until(run)
    assert done.current.last_lines == tuple(f"line {number}" for number in range(4980, 5000))


async def test_a_run_whose_ref_was_not_there_is_pinned_by_its_next_attempt() -> None:
    plane = await ControlPlane().open()
    plane.mirrors.error = SourceNotFoundError("no such branch yet")
    reason = FailureReason.SOURCE_NOT_FOUND
    run = await plane.create(retries=Retries(max=2, on=(reason,), backoff=30))
    waiting = await plane.until(run, RunPhase.QUEUED)
    assert (waiting.attempt, waiting.commit, waiting.attempts[0].reason) == (2, None, reason)
    await plane.until(run, RunPhase.PREPARING)
    failed_again = await plane.until(run, RunPhase.QUEUED)
    assert (failed_again.attempt, failed_again.attempts[1].reason) == (3, reason)
    plane.mirrors.error = None
    done = await plane.until(run)
    assert (done.status, done.commit) == (RunStatus.SUCCEEDED, COMMIT)
    assert list(plane.rayjobs.jobs) == [f"{run.id}-3"]


async def test_a_cancel_in_the_pause_ends_the_run() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(FAILS)).open()
    run = await plane.create(retries=Retries(max=1, on=(MINE,), backoff=3600))
    await plane.until(run, RunPhase.STARTING)
    await plane.until(run, RunPhase.QUEUED)
    await plane.runs.cancel(plane.project, run.id)
    done = await plane.until(run)
    assert (done.status, len(plane.rayjobs.jobs)) == (RunStatus.CANCELLED, 1)


GIVEN_UP = FailureReason.CLUSTER_UNAVAILABLE


async def given_up_on(plane: ControlPlane, run: Run, *, attempts: int = 1) -> None:
    """Let the cluster be silent until the run has given so many attempts up."""
    plane.rayjobs.unreachable = True
    while (now := await plane.stores.runs.get(run.id)).attempt <= attempts:
        await plane.step(run)
    assert [one.reason for one in now.attempts] == [GIVEN_UP] * attempts


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.PENDING])
async def test_a_job_that_comes_back_has_ended_before_the_next_attempt(
    status: JobStatus, attempts: int
) -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((status,))).open()
    run = await plane.create(retries=Retries(max=attempts, backoff=0))
    await plane.until(run, RunPhase.STARTING)
    await plane.rayjobs.get(f"{run.id}-1")
    await given_up_on(plane, run, attempts=attempts)
    plane.rayjobs.unreachable = False
    submit = plane.rayjobs.submit

    async def beside_no_other(submission: JobSubmission) -> None:
        assert plane.rayjobs.jobs[f"{run.id}-1"].job.status.terminal
        await submit(submission)

    plane.rayjobs.submit = beside_no_other
    await plane.until(run, RunPhase.STARTING)
    assert list(plane.rayjobs.jobs) == [f"{run.id}-1", f"{run.id}-{attempts + 1}"]


async def test_a_job_that_comes_back_and_cannot_be_ended_holds_no_run_for_ever() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.RUNNING,))).open()
    run = await plane.create(retries=Retries(max=1, backoff=0), start_timeout_s=60)
    await plane.until(run, RunPhase.STARTING)
    await plane.stores.reports.started(run.id, a_started())
    await plane.until(run, RunPhase.RUNNING)
    await given_up_on(plane, run)
    plane.rayjobs.unreachable = False

    async def left(submission_id: str, **_: object) -> tuple[str, ...]:
        return (f"job {submission_id}",)

    plane.rayjobs.sweep = left
    done = await plane.until(run)
    assert (done.reason, list(plane.rayjobs.jobs)) == (FailureReason.START_TIMEOUT, [f"{run.id}-1"])
    assert "an earlier attempt" in (done.reason_detail or "")
