"""A Ray cluster that runs are sent to, and its jobs as daftray sees them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec


class ClusterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster says of itself. ``session`` changes whenever its head starts anew."""

    session: str
    ray_version: str
    python_version: str


class JobStatus(StrEnum):
    """The states of a Ray job (Ray's job REST API)."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def terminal(self) -> bool:
        """Whether Ray will do nothing more with the job."""
        return self in {JobStatus.STOPPED, JobStatus.SUCCEEDED, JobStatus.FAILED}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A Ray job, as Ray tells it. ``log_address`` is the node agent that serves the driver's log file."""

    submission_id: str
    status: JobStatus
    job_id: str | None = None
    message: str = ""
    error_type: str | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    log_address: str | None = None


class JobSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to ``POST /api/jobs/``."""

    submission_id: str
    entrypoint: str
    runtime_env: dict[str, object]
    metadata: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    num_cpus: float | None = None
    num_gpus: float | None = None
    memory: int | None = None


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A zip named by its content, ready for Ray. ``size`` in bytes."""

    name: str
    path: Path
    size: int
    warnings: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """Where Ray finds it once it is uploaded."""
        return f"gcs://{self.name}"
