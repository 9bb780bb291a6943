"""Ray's JSON and ours: ``JobDetails`` and ``JobSubmitRequest`` of Ray's job REST API."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import ClusterRefusedError

Answer = TypeVar("Answer")
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


class JobDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET /api/jobs/{id}`` answers, as far as it is used. Times are in milliseconds."""

    submission_id: str | None = None
    job_id: str | None = None
    status: JobStatus
    message: str | None = None
    error_type: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    driver_agent_http_address: str | None = None
    driver_node_id: str | None = None
    driver_exit_code: int | None = None

    def as_job(self, submission_id: str) -> Job:
        """Return the job in daftray's terms."""
        return Job(
            submission_id=submission_id,
            status=self.status,
            job_id=self.job_id,
            message=self.message or "",
            error_type=self.error_type,
            exit_code=self.driver_exit_code,
            started_at=_time(self.start_time),
            ended_at=_time(self.end_time),
            log_address=_origin(self.driver_agent_http_address),
            node_id=self.driver_node_id,
        )


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET /api/version`` answers."""

    ray_version: str
    session_name: str


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    python_version: str = msgspec.field(name="pythonVersion")


class ClusterMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET /api/v0/cluster_metadata`` answers."""

    data: _Metadata


def decode(content: bytes, type_: type[Answer]) -> Answer:
    """Return Ray's answer as a type. Raises `ClusterRefusedError` where it is none."""
    try:
        return msgspec.json.decode(content, type=type_)
    except msgspec.DecodeError as exc:
        raise ClusterRefusedError(
            f"The answer is none of Ray's job interface ({exc}): is the address that of a Ray dashboard?"
        ) from exc


def encode(submission: JobSubmission) -> bytes:
    """Return the body of ``POST /api/jobs/``."""
    body: dict[str, object] = {
        "submission_id": submission.submission_id,
        "entrypoint": submission.entrypoint,
        "runtime_env": submission.runtime_env,
        "metadata": submission.metadata,
        "entrypoint_num_cpus": submission.num_cpus,
        "entrypoint_num_gpus": submission.num_gpus,
        "entrypoint_memory": submission.memory,
        "entrypoint_label_selector": submission.node_id and {"ray.io/node-id": submission.node_id},
    }
    return msgspec.json.encode({key: value for key, value in body.items() if value is not None})


def _origin(address: str | None) -> str | None:
    """Return an agent's address if it is no more than that.

    It stands in a table of Ray's that the cluster's own jobs can write, and the server sends a request there.
    """
    return address if address and _ORIGIN.fullmatch(address) else None


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
