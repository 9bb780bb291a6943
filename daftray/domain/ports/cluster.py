"""What is asked of a Ray cluster."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.cluster import ClusterInfo, Job, JobSubmission, Package


class RayJobs(Protocol):
    """One Ray cluster's job interface."""

    async def info(self) -> ClusterInfo:
        """Return what the cluster is. Raises `ClusterUnreachableError`."""
        ...

    async def ensure_package(self, package: Package) -> None:
        """Make sure that Ray holds a package, and pin it there until a job uses it."""
        ...

    async def submit(self, submission: JobSubmission) -> None:
        """Submit a job once. Raises `JobExistsError`, `ClusterRefusedError`, `ClusterUnreachableError`."""
        ...

    async def get(self, submission_id: str) -> Job:
        """Return a job. Raises `JobNotFoundError`, `ClusterUnreachableError`."""
        ...

    async def stop(self, submission_id: str) -> None:
        """Ask Ray to stop a job; a job that has ended is fine."""
        ...

    async def kill_supervisor(self, submission_id: str) -> None:
        """End a job that Ray's own stop does not end: one that still waits for resources."""
        ...

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes of the driver's log from ``offset``; none where it ends."""
        ...

    def dashboard_url(self, job_id: str) -> str:
        """Return the address of a job's page in the Ray dashboard."""
        ...
