"""A submission that got through, though its answer was lost, and a second try that cannot be made."""

from __future__ import annotations

import pytest
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, JobSubmission
from daftray.domain.errors import ClusterUnreachableError, SourceNotFoundError
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunPhase, RunStatus


async def unseen(plane: ControlPlane) -> Run:
    """Return a run whose job is on the cluster, and still to be submitted as far as daftray knows."""
    plane.rayjobs.script = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.SUCCEEDED)
    run = await plane.until(await plane.create(), RunPhase.SUBMITTING)
    submit = plane.rayjobs.submit

    async def loses_its_answer(submission: JobSubmission) -> None:
        await submit(submission)
        raise ClusterUnreachableError("the answer was lost")

    plane.rayjobs.submit = loses_its_answer
    assert (await plane.step(run)).run.phase is RunPhase.SUBMITTING
    plane.rayjobs.submit = submit
    return run


@pytest.mark.parametrize("trouble", ["the source is gone", "the cluster refuses"])
async def test_the_job_that_is_there_is_adopted_whatever_hinders_a_second_try(trouble: str) -> None:
    plane = await ControlPlane().open()
    run = await unseen(plane)
    if trouble == "the source is gone":
        plane.packages.error = SourceNotFoundError("gone")
    else:
        plane.rayjobs.refuses = "no more"
    adopted = (await plane.step(run)).run
    assert adopted.phase is RunPhase.STARTING
    assert (await plane.until(run)).status is RunStatus.SUCCEEDED
    assert list(plane.rayjobs.jobs) == [f"{run.id}-1"]


async def test_a_run_is_not_failed_while_nobody_can_tell_whether_its_job_is_there() -> None:
    plane = await ControlPlane().open()
    run = await unseen(plane)
    plane.packages.error = SourceNotFoundError("gone")
    plane.rayjobs.unreachable = True
    waiting = (await plane.step(run)).run
    assert (waiting.phase, waiting.status) == (RunPhase.SUBMITTING, RunStatus.PENDING)
    plane.rayjobs.unreachable = False
    assert (await plane.step(run)).run.phase is RunPhase.STARTING


async def test_a_run_whose_job_is_not_there_fails_with_its_own_reason() -> None:
    plane = await ControlPlane().open()
    run = await plane.until(await plane.create(), RunPhase.SUBMITTING)
    plane.packages.error = SourceNotFoundError("gone")
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.SOURCE_NOT_FOUND)
    assert plane.rayjobs.jobs == {}
