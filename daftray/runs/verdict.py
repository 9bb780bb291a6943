"""How a run ended, from what Ray says, what the runner reported, and what people asked for.

The order matters: our own intent outranks the runner, and the runner outranks Ray, since Ray sees only an
exit code where the runner saw the exception.
"""

from __future__ import annotations

from daftray.domain.budget import overrun
from daftray.domain.cluster import Job, JobStatus
from daftray.domain.metrics import UsageSummary
from daftray.domain.report import AttemptReports, FinishedReport
from daftray.domain.run import Run, Verdict
from daftray.domain.status import FailureReason, RunStatus

CANCELLED = Verdict(status=RunStatus.CANCELLED, detail="Cancelled by request.")
_SIGKILL_CODES = {-9, 137}
_NODE_ERRORS = {"NodeDiedError", "LocalRayletDiedError"}
_NEVER_STARTED = 75
"""The runner's own exit code where the control plane is away (`daftray/runner/driver.py`)."""
_DETAIL_CHARACTERS = 4000

_OUTCOME_REASONS = {
    "entrypoint_not_found": FailureReason.ENTRYPOINT_NOT_FOUND,
    "arguments_invalid": FailureReason.ARGUMENTS_INVALID,
}


def of_job(run: Run, job: Job, reports: AttemptReports) -> Verdict:
    """Return the verdict of a job that has ended."""
    if run.cancel_requested_at is not None:
        return CANCELLED
    if job.status is JobStatus.SUCCEEDED:
        return Verdict(status=RunStatus.SUCCEEDED, exit_code=0)
    if job.status is JobStatus.STOPPED:
        return _failed(FailureReason.JOB_LOST, "The Ray job was stopped from outside daftray.")
    if reports.finished is not None and reports.finished.exit_code != 0:
        return _of_report(reports.finished)
    if reports.started is None and job.exit_code == _NEVER_STARTED:
        said = "The code never began, since the run could not reach daftray from the cluster."
        return _failed(FailureReason.INTERNAL, f"{said} {_last_lines(job.message)}", exit_code=job.exit_code)
    return _of_failed_job(run, job)


def of_budget(run: Run, usage: UsageSummary | None) -> Verdict | None:
    """Return the verdict of a run that has used more than its budget, if it has."""
    spent = overrun(run.budget, usage)
    return _failed(FailureReason.BUDGET_EXCEEDED, spent) if spent else None


def of_missing_job(run: Run, session: str | None, reports: AttemptReports) -> Verdict:
    """Return the verdict of a job that Ray does not know, though it was submitted."""
    if run.cancel_requested_at is not None:
        return CANCELLED
    if reports.finished is not None:
        return _as_told(reports.finished)
    if session is not None and session != run.current.ray_session:
        return _failed(
            FailureReason.CLUSTER_LOST,
            "The Ray cluster was started anew while the run was on it, and forgot its job.",
        )
    return _failed(FailureReason.JOB_LOST, "The Ray cluster does not know the run's job any more.")


def of_silence(run: Run, reports: AttemptReports, said: str) -> Verdict:
    """Return the verdict of a run of which neither its cluster nor its runner has told for long."""
    if run.cancel_requested_at is not None:
        return CANCELLED
    if reports.finished is not None:
        return _as_told(reports.finished)
    return _failed(FailureReason.CLUSTER_UNAVAILABLE, f"{said} Nothing was heard of the run itself either.")


def _as_told(finished: FinishedReport) -> Verdict:
    """Take the runner's word where Ray has none: its end was its last act, whatever became of the cluster."""
    if finished.exit_code == 0:
        return Verdict(status=RunStatus.SUCCEEDED, exit_code=0)
    return _of_report(finished)


def _of_report(finished: FinishedReport) -> Verdict:
    reason = _OUTCOME_REASONS.get(finished.outcome, FailureReason.USER_ERROR)
    exception = finished.exception
    if exception is not None:
        reason = _of_exception(exception.type, exception.message) or reason
    detail = finished.detail or f"The code ended with exit code {finished.exit_code}."
    if exception is not None and finished.detail is None:
        detail = f"{exception.type}: {exception.message}" if exception.message else exception.type
    return _failed(reason, _first_lines(detail), exit_code=finished.exit_code)


def _of_exception(kind: str, message: str) -> FailureReason | None:
    """Return the reason where an exception is Ray's own word about its machines (``ray.exceptions``)."""
    if "OutOfMemory" in kind or "OutOfMemoryError" in message:
        return FailureReason.OUT_OF_MEMORY
    if kind.rpartition(".")[2] in _NODE_ERRORS or "NodeDiedError" in message or _tells_of_node(message):
        return FailureReason.NODE_LOST
    return None


def _of_failed_job(run: Run, job: Job) -> Verdict:
    error, text = job.error_type or "", _last_lines(job.message)
    if error == "RUNTIME_ENV_SETUP_FAILURE":
        return _of_setup(run, job, text)
    reason = _of_platform(error, job)
    if reason is FailureReason.OUT_OF_MEMORY:
        # What follows lists the commands of other processes of the node.
        return _failed(reason, job.message.strip().split("\n", 1)[0], exit_code=job.exit_code)
    if reason is not None:
        return _failed(reason, text, exit_code=job.exit_code)
    if job.exit_code in _SIGKILL_CODES:
        said = "The code was killed by signal 9 (SIGKILL), from outside or for want of memory."
        return _failed(FailureReason.KILLED, said, exit_code=job.exit_code)
    said = f"The code ended with exit code {job.exit_code}, before it could say why. {text}"
    return _failed(FailureReason.USER_ERROR, said, exit_code=job.exit_code)


def _of_setup(run: Run, job: Job, text: str) -> Verdict:
    if job.package_lost:
        return _failed(FailureReason.PACKAGE_LOST, "Ray lost the run's package before the run had started.")
    if run.environment.dependencies:
        return _failed(FailureReason.DEPENDENCIES_FAILED, text)
    return _failed(FailureReason.INTERNAL, f"Ray could not set the run up. {text}")


def _of_platform(error: str, job: Job) -> FailureReason | None:
    """Return the reason where it was not the code that ended the job."""
    if _tells_of_memory(job.message):
        return FailureReason.OUT_OF_MEMORY
    if error in {"JOB_SUPERVISOR_ACTOR_START_TIMEOUT", "JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE"}:
        return FailureReason.START_TIMEOUT
    if error.startswith("JOB_SUPERVISOR_ACTOR"):
        return FailureReason.NODE_LOST if _tells_of_node(job.message) else FailureReason.JOB_LOST
    return None


def _tells_of_memory(message: str) -> bool:
    return "OutOfMemory" in message or "running low on memory" in message


def _tells_of_node(message: str) -> bool:
    return "node has died" in message or "node was terminated" in message or "NodeDied" in message


def _failed(reason: FailureReason, detail: str, *, exit_code: int | None = None) -> Verdict:
    return Verdict(status=RunStatus.FAILED, reason=reason, detail=detail.strip(), exit_code=exit_code)


def _first_lines(message: str) -> str:
    """Keep the beginning of a long text: exceptions say what matters first. The detail is in every list."""
    return message if len(message) <= _DETAIL_CHARACTERS else f"{message[:_DETAIL_CHARACTERS]}…"


def _last_lines(message: str) -> str:
    """Keep the end of a long text: installers and tracebacks say what matters last."""
    return message if len(message) <= _DETAIL_CHARACTERS else f"…{message[-_DETAIL_CHARACTERS:]}"
