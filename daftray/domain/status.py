"""The state machine of a run: what users see, what is being done about it, and why it failed."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class RunStatus(StrEnum):
    """What users see. Exactly the five of Daft Cloud; the terminal ones never change."""

    PENDING = "pending"
    """Created; the user's code has not started."""
    RUNNING = "running"
    """The user's code runs."""
    SUCCEEDED = "succeeded"
    """The user's code ended, with exit code 0."""
    FAILED = "failed"
    """The run ended otherwise; `FailureReason` says why."""
    CANCELLED = "cancelled"
    """Somebody cancelled the run before it ended."""

    @property
    def terminal(self) -> bool:
        """Whether the run has ended."""
        return self in {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}


class RunPhase(StrEnum):
    """What is being done about the run right now."""

    PINNING = "pinning"
    """The ref is resolved to a commit, before any waiting."""
    QUEUED = "queued"
    """Waiting for a place on the cluster."""
    PREPARING = "preparing"
    """The tree becomes a package, and the package goes to Ray."""
    SUBMITTING = "submitting"
    """The job is submitted to Ray under the attempt's submission id."""
    INSTALLING = "installing"
    """Ray installs the dependencies and starts the job's supervisor."""
    STARTING = "starting"
    """Ray starts the driver."""
    RUNNING = "running"
    """The user's code runs."""
    CANCELLING = "cancelling"
    """The job is being stopped, until nothing of it is left: on request, or since its time is up."""
    HARVESTING = "harvesting"
    """The job ended; the last log bytes and reports come in."""
    DONE = "done"
    """The run has its terminal status."""


TRANSITIONS: dict[RunPhase, frozenset[RunPhase]] = {
    RunPhase.PINNING: frozenset({RunPhase.QUEUED, RunPhase.CANCELLING, RunPhase.HARVESTING}),
    RunPhase.QUEUED: frozenset({RunPhase.PREPARING, RunPhase.CANCELLING, RunPhase.HARVESTING}),
    RunPhase.PREPARING: frozenset({RunPhase.SUBMITTING, RunPhase.CANCELLING, RunPhase.HARVESTING}),
    RunPhase.SUBMITTING: frozenset(
        {RunPhase.INSTALLING, RunPhase.STARTING, RunPhase.CANCELLING, RunPhase.HARVESTING}
    ),
    RunPhase.INSTALLING: frozenset(
        {RunPhase.STARTING, RunPhase.RUNNING, RunPhase.CANCELLING, RunPhase.HARVESTING}
    ),
    RunPhase.STARTING: frozenset({RunPhase.RUNNING, RunPhase.CANCELLING, RunPhase.HARVESTING}),
    RunPhase.RUNNING: frozenset({RunPhase.CANCELLING, RunPhase.HARVESTING}),
    RunPhase.CANCELLING: frozenset({RunPhase.HARVESTING}),
    RunPhase.HARVESTING: frozenset({RunPhase.DONE, RunPhase.QUEUED}),
    RunPhase.DONE: frozenset(),
}
"""Which phase may follow which. `Run.advance` is the only way along these edges, but for the one from
`harvesting` back to `queued`: that is `Run.retry`."""

ON_CLUSTER = frozenset(
    {
        RunPhase.PREPARING,
        RunPhase.SUBMITTING,
        RunPhase.INSTALLING,
        RunPhase.STARTING,
        RunPhase.RUNNING,
        RunPhase.CANCELLING,
        RunPhase.HARVESTING,
    }
)
"""The phases in which a run takes one of the cluster's places."""

Owner = Literal["user", "platform"]


class FailureReason(StrEnum):
    """Why a run failed: a code for programs, beside `Run.reason_detail` for people."""

    SOURCE_NOT_FOUND = "source_not_found"
    SOURCE_DENIED = "source_denied"
    SOURCE_REFUSED = "source_refused"
    SOURCE_TOO_LARGE = "source_too_large"
    PYTHON_UNAVAILABLE = "python_unavailable"
    DEPENDENCIES_FAILED = "dependencies_failed"
    ENTRYPOINT_NOT_FOUND = "entrypoint_not_found"
    ARGUMENTS_INVALID = "arguments_invalid"
    USER_ERROR = "user_error"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    CLUSTER_UNAVAILABLE = "cluster_unavailable"
    CLUSTER_LOST = "cluster_lost"
    NODE_LOST = "node_lost"
    JOB_LOST = "job_lost"
    PACKAGE_LOST = "package_lost"
    QUEUE_TIMEOUT = "queue_timeout"
    START_TIMEOUT = "start_timeout"
    RUN_TIMEOUT = "run_timeout"
    BUDGET_EXCEEDED = "budget_exceeded"
    INTERNAL = "internal"

    @property
    def owner(self) -> Owner:
        """Who can mend it: the run's user or the platform's operator."""
        return "platform" if self in _PLATFORM else "user"

    @property
    def retry_can_help(self) -> bool:
        """Whether the same run may succeed at its next attempt."""
        return self in RETRIED


RETRIED = frozenset(
    {
        FailureReason.KILLED,
        FailureReason.CLUSTER_UNAVAILABLE,
        FailureReason.CLUSTER_LOST,
        FailureReason.NODE_LOST,
        FailureReason.JOB_LOST,
        FailureReason.PACKAGE_LOST,
        FailureReason.START_TIMEOUT,
        FailureReason.INTERNAL,
    }
)
"""The reasons after which a run is tried again, where it asks for retries and names none itself."""
_PLATFORM = RETRIED | {FailureReason.QUEUE_TIMEOUT}
