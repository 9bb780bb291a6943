"""What is asked of a Ray cluster."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from daftray.domain.cluster import (
    ClusterInfo,
    ClusterNode,
    ClusterResources,
    Job,
    JobSubmission,
    ListedJob,
    Package,
    ReservedCpu,
)


class RayJobs(Protocol):
    """One Ray cluster's job interface."""

    async def info(self) -> ClusterInfo:
        """Return what the cluster is. Raises `ClusterUnreachableError`."""
        ...

    async def resources(self) -> ClusterResources:
        """Return what the cluster has and what of it is free; cheap enough to be asked every few seconds.

        Raises `ClusterUnreachableError`, `ClusterRefusedError`.
        """
        ...

    async def nodes(self) -> tuple[ClusterNode, ...]:
        """Return the cluster's nodes: its head first, then those that live, then those that are gone.

        Raises `ClusterUnreachableError`, `ClusterRefusedError`.
        """
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

    async def reserved(self, job: Job, *, at: datetime) -> ReservedCpu:
        """Return the CPU seconds that were set aside for a job up to its end, or to a time while it runs.

        They are requested CPUs by running time, of its tasks, actors and driver. Where a job has many tasks
        it may take the cluster seconds to tell.

        Raises `ClusterUnreachableError`, `ClusterRefusedError`.
        """
        ...

    async def list_jobs(self) -> list[ListedJob]:
        """Return all jobs that were submitted and whose records the cluster has, whoever submitted them.

        Raises `ClusterUnreachableError`, `ClusterRefusedError`.
        """
        ...

    async def stop(self, submission_id: str) -> None:
        """Ask Ray to stop a job; a job that has ended is fine."""
        ...

    async def sweep(self, submission_id: str, *, processes: bool = True) -> tuple[str, ...]:
        """End whatever a job still holds on the cluster or has left there, and wait until it has.

        That is its driver and the supervisor of it (one that waits for resources or dependencies, too), its
        actors and placement groups, detached ones included, and, with ``processes``, those that left the
        driver's process tree on its node. A job that runs is stopped first, as `stop` does it.

        Takes some seconds on the cluster, or one look at it where an ended job left nothing and ``processes``
        is off or it never had a driver. A job that is gone is fine.

        Returns:
            What could not be ended, in words. Empty: nothing is left, and the job has ended.

        Raises `ClusterUnreachableError` where it was not done in time, `ClusterRefusedError` where it could
        not be.
        """
        ...

    async def delete(self, submission_id: str) -> None:
        """Remove the cluster's record of a job that has ended; one that is gone is fine.

        Raises `ClusterRefusedError` for a job that has not ended, and `ClusterUnreachableError`.
        """
        ...

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes of the driver's log from ``offset``; none where it ends."""
        ...

    def dashboard_url(self, job_id: str | None = None) -> str:
        """Return the address of a job's page in the Ray dashboard, or of the cluster's; "" for none."""
        ...
