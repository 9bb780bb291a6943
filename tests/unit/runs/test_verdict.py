from __future__ import annotations

import pytest
from factories import a_finished, a_run, a_started, an_exception, at

from daftray.domain.cluster import Job, JobStatus
from daftray.domain.report import AttemptReports
from daftray.domain.run import Attempt
from daftray.domain.spec import Environment
from daftray.domain.status import FailureReason, RunStatus
from daftray.runner import driver
from daftray.runs import verdict

NOTHING = AttemptReports()


def a_job(status: JobStatus = JobStatus.FAILED, **fields: object) -> Job:
    return Job(submission_id="run_1-1", status=status, **fields)  # type: ignore[arg-type] (fields of a job)


def test_a_job_that_ray_saw_succeed_succeeded() -> None:
    found = verdict.of_job(a_run(), a_job(JobStatus.SUCCEEDED), NOTHING)
    assert (found.status, found.exit_code) == (RunStatus.SUCCEEDED, 0)


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.STOPPED])
def test_a_request_to_cancel_outranks_whatever_ray_says(status: JobStatus) -> None:
    found = verdict.of_job(a_run(cancel_requested_at=at(1)), a_job(status), NOTHING)
    assert found.status is RunStatus.CANCELLED


def test_a_request_to_cancel_outranks_a_job_that_is_gone_and_a_cluster_that_is_silent() -> None:
    run = a_run(cancel_requested_at=at(1))
    told = AttemptReports(finished=a_finished(outcome="raised", exit_code=1))
    assert verdict.of_missing_job(run, "another session", told).status is RunStatus.CANCELLED
    assert verdict.of_silence(run, told, "It does not answer.").status is RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("raised", FailureReason.USER_ERROR),
        ("exited", FailureReason.USER_ERROR),
        ("entrypoint_not_found", FailureReason.ENTRYPOINT_NOT_FOUND),
        ("arguments_invalid", FailureReason.ARGUMENTS_INVALID),
    ],
)
def test_the_runner_knows_better_than_ray_why(outcome: str, reason: FailureReason) -> None:
    reports = AttemptReports(finished=a_finished(outcome=outcome, exit_code=3))
    found = verdict.of_job(a_run(), a_job(exit_code=3, error_type="JOB_ENTRYPOINT_COMMAND_ERROR"), reports)
    assert (found.status, found.reason, found.exit_code) == (RunStatus.FAILED, reason, 3)


def test_an_exception_is_named_in_the_detail() -> None:
    exception = an_exception(type="ValueError", message="bad row 7")
    reports = AttemptReports(finished=a_finished(outcome="raised", exit_code=1, exception=exception))
    assert verdict.of_job(a_run(), a_job(exit_code=1), reports).detail == "ValueError: bad row 7"


def test_a_driver_that_died_after_it_had_told_of_success_did_not_succeed() -> None:
    job = a_job(exit_code=-9, error_type="JOB_ENTRYPOINT_COMMAND_ERROR")
    found = verdict.of_job(a_run(), job, AttemptReports(finished=a_finished()))
    assert (found.status, found.reason, found.exit_code) == (RunStatus.FAILED, FailureReason.KILLED, -9)


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("ray.exceptions.OutOfMemoryError", "", FailureReason.OUT_OF_MEMORY),
        ("ray.exceptions.RayTaskError", "caused by OutOfMemoryError: killed", FailureReason.OUT_OF_MEMORY),
        ("ray.exceptions.NodeDiedError", "", FailureReason.NODE_LOST),
        ("ray.exceptions.LocalRayletDiedError", "", FailureReason.NODE_LOST),
        ("ray.exceptions.RayTaskError", "caused by NodeDiedError: gone", FailureReason.NODE_LOST),
        ("ray.exceptions.ActorDiedError", "The actor died since its node has died.", FailureReason.NODE_LOST),
        ("ray.exceptions.ActorDiedError", "its node was terminated", FailureReason.NODE_LOST),
        ("ray.exceptions.ActorDiedError", "The actor died.", FailureReason.USER_ERROR),
    ],
)
def test_what_ray_raised_about_its_machines_is_not_blamed_on_the_code(
    kind: str, message: str, reason: FailureReason
) -> None:
    exception = an_exception(type=kind, message=message)
    reports = AttemptReports(finished=a_finished(outcome="raised", exit_code=1, exception=exception))
    assert verdict.of_job(a_run(), a_job(exit_code=1), reports).reason is reason


def test_a_failed_set_up_is_blamed_on_dependencies_only_where_there_are_any() -> None:
    job = a_job(error_type="RUNTIME_ENV_SETUP_FAILURE", message="no such package: nonesuch")
    with_some = a_run(environment=Environment(dependencies=["nonesuch"]))
    found = verdict.of_job(with_some, job, NOTHING)
    assert found.reason is FailureReason.DEPENDENCIES_FAILED
    assert "no such package" in (found.detail or "")
    assert verdict.of_job(a_run(), job, NOTHING).reason is FailureReason.INTERNAL


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (a_job(error_type="JOB_SUPERVISOR_ACTOR_DIED"), FailureReason.JOB_LOST),
        (
            a_job(
                error_type="JOB_SUPERVISOR_ACTOR_UNKNOWN_FAILURE", message="ray.exceptions.OutOfMemoryError"
            ),
            FailureReason.OUT_OF_MEMORY,
        ),
        (
            a_job(error_type="JOB_SUPERVISOR_ACTOR_DIED", message="The actor died: its node has died."),
            FailureReason.NODE_LOST,
        ),
        (
            a_job(message="2 worker(s) were killed: the node was running low on memory.", exit_code=1),
            FailureReason.OUT_OF_MEMORY,
        ),
        (a_job(error_type="JOB_SUPERVISOR_ACTOR_START_TIMEOUT"), FailureReason.START_TIMEOUT),
        (a_job(error_type="JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE"), FailureReason.START_TIMEOUT),
        (a_job(error_type="JOB_ENTRYPOINT_COMMAND_ERROR", exit_code=-9), FailureReason.KILLED),
        (a_job(error_type="JOB_ENTRYPOINT_COMMAND_ERROR", exit_code=137), FailureReason.KILLED),
        (a_job(error_type="JOB_ENTRYPOINT_COMMAND_ERROR", exit_code=1), FailureReason.USER_ERROR),
        (a_job(JobStatus.STOPPED), FailureReason.JOB_LOST),
    ],
)
def test_without_the_runners_word_ray_is_read_closely(job: Job, reason: FailureReason) -> None:
    assert verdict.of_job(a_run(), job, NOTHING).reason is reason


def test_code_that_never_began_is_not_blamed() -> None:
    """It exits with 75 by itself, too, but then it has begun."""
    job = a_job(error_type="JOB_ENTRYPOINT_COMMAND_ERROR", exit_code=driver.NEVER_STARTED)
    found = verdict.of_job(a_run(), job, NOTHING)
    assert (found.reason, found.exit_code) == (FailureReason.INTERNAL, 75)
    assert "never began" in (found.detail or "")
    begun = AttemptReports(started=a_started())
    assert verdict.of_job(a_run(), job, begun).reason is FailureReason.USER_ERROR


def test_a_kill_is_called_one() -> None:
    found = verdict.of_job(a_run(), a_job(exit_code=-9), NOTHING)
    assert "SIGKILL" in (found.detail or "")


def test_a_missing_job_is_the_clusters_fault_where_its_head_is_a_new_one() -> None:
    run = a_run(attempts=(Attempt(number=1, submission_id="run_1-1", ray_session="session_1"),))
    assert verdict.of_missing_job(run, "session_2", NOTHING).reason is FailureReason.CLUSTER_LOST
    assert verdict.of_missing_job(run, "session_1", NOTHING).reason is FailureReason.JOB_LOST


def test_a_run_of_which_nothing_was_heard_is_the_clusters_fault_unless_it_had_told_its_end() -> None:
    silent = verdict.of_silence(a_run(), NOTHING, "It does not answer.")
    assert silent.reason is FailureReason.CLUSTER_UNAVAILABLE
    assert (silent.detail or "").startswith("It does not answer.")
    returned = AttemptReports(finished=a_finished())
    assert verdict.of_silence(a_run(), returned, "").status is RunStatus.SUCCEEDED
    raised = AttemptReports(finished=a_finished(outcome="exited", exit_code=3))
    found = verdict.of_silence(a_run(), raised, "")
    assert (found.reason, found.exit_code) == (FailureReason.USER_ERROR, 3)


def test_a_missing_job_that_told_its_end_ended_so() -> None:
    run = a_run(attempts=(Attempt(number=1, submission_id="run_1-1", ray_session="session_1"),))
    returned = AttemptReports(finished=a_finished())
    assert verdict.of_missing_job(run, "session_2", returned).status is RunStatus.SUCCEEDED
    raised = AttemptReports(finished=a_finished(outcome="raised", exit_code=1))
    assert verdict.of_missing_job(run, "session_2", raised).reason is FailureReason.USER_ERROR


def test_of_a_long_text_the_end_is_kept() -> None:
    job = a_job(error_type="JOB_SUPERVISOR_ACTOR_DIED", message="x" * 100_000 + "the point")
    detail = verdict.of_job(a_run(), job, NOTHING).detail or ""
    assert detail.endswith("the point")
    assert len(detail) < 5_000
