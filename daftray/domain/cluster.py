"""A Ray cluster that runs are sent to, and its jobs as daftray sees them."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

TESTED_RAY = "2.59"
"""The release of Ray whose interfaces daftray is tested with, as ``pyproject.toml`` has it."""
_PACKAGE_LOST = re.compile(r"Failed to download runtime_env file package gcs://\S+ from the GCS")
"""Ray's words where a job's package is not there any more (``runtime_env/packaging.py`` of Ray 2.59)."""


class ClusterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster says of itself. ``session`` changes whenever its head starts anew."""

    session: str
    ray_version: str
    python_version: str


class ClusterResources(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster's living nodes have, and what of it no job, actor, task or placement group has claimed.

    CPUs and GPUs are Ray's logical ones, and so is ``memory``, in bytes; the head's memory is that of its
    machine or container, in bytes. None is what the cluster does not tell.
    """

    nodes: int
    cpus: float = 0
    gpus: float = 0
    memory: int = 0
    cpus_free: float | None = None
    gpus_free: float | None = None
    memory_free: int | None = None
    head_memory_total: int | None = None
    head_memory_free: int | None = None


class ClusterNode(msgspec.Struct, frozen=True, kw_only=True):
    """A machine or container of a cluster, one that is gone included as long as the cluster remembers it.

    ``state`` is Ray's word (``ALIVE``, ``DEAD``), ``detail`` what it says of the node's end. CPUs, GPUs and
    ``memory`` (bytes) are the logical ones that the node brought in; the machine's memory, in bytes, is
    None until the node reports it.
    """

    id: str
    state: str
    head: bool = False
    address: str = ""
    cpus: float = 0
    gpus: float = 0
    memory: int = 0
    machine_memory_total: int | None = None
    machine_memory_free: int | None = None
    detail: str = ""

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self.state == "ALIVE"


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
    """A Ray job, as Ray tells it.

    ``log_address`` is the node agent that serves the driver's log file, ``node_id`` is Ray's id of that
    node: both are None until there is a driver, and stay when it has ended.
    """

    submission_id: str
    status: JobStatus
    job_id: str | None = None
    message: str = ""
    error_type: str | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    log_address: str | None = None
    node_id: str | None = None

    @property
    def package_lost(self) -> bool:
        """Whether the job failed because Ray had let go of a package that it needs to start."""
        return self.error_type == "RUNTIME_ENV_SETUP_FAILURE" and bool(_PACKAGE_LOST.search(self.message))


class ReservedCpu(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds that a cluster set aside for a job; a lower bound where it is ``partial``."""

    seconds: float
    partial: bool = False


class ListedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A Ray job in the list of all. ``metadata`` is what it was submitted with."""

    submission_id: str
    status: JobStatus
    metadata: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class JobSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to ``POST /api/jobs/``. ``node_id`` is the node that the driver has to run on."""

    submission_id: str
    entrypoint: str
    runtime_env: dict[str, object]
    metadata: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    num_cpus: float | None = None
    num_gpus: float | None = None
    memory: int | None = None
    node_id: str | None = None


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
