# ruff: noqa: ARG002 (every call answers the same, whatever it is asked)
"""The job interface of no cluster at all (``--ray none``): runs are kept, and wait."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

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
from daftray.domain.errors import ClusterUnreachableError


class NoCluster:
    """Answers every call with `ClusterUnreachableError`."""

    async def info(self) -> ClusterInfo:
        """Refuse."""
        self._refuse()

    async def resources(self) -> ClusterResources:
        """Refuse."""
        self._refuse()

    async def nodes(self) -> tuple[ClusterNode, ...]:
        """Refuse."""
        self._refuse()

    async def ensure_package(self, package: Package) -> None:
        """Refuse."""
        self._refuse()

    async def submit(self, submission: JobSubmission) -> None:
        """Refuse."""
        self._refuse()

    async def get(self, submission_id: str) -> Job:
        """Refuse."""
        self._refuse()

    async def reserved(self, job: Job, *, at: datetime) -> ReservedCpu:
        """Refuse."""
        self._refuse()

    async def list_jobs(self) -> list[ListedJob]:
        """Refuse."""
        self._refuse()

    async def stop(self, submission_id: str) -> None:
        """Refuse."""
        self._refuse()

    async def sweep(self, submission_id: str, *, processes: bool = True) -> tuple[str, ...]:
        """Refuse."""
        self._refuse()

    async def delete(self, submission_id: str) -> None:
        """Refuse."""
        self._refuse()

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Refuse."""
        self._refuse()

    def dashboard_url(self, job_id: str | None = None) -> str:
        """Return nothing to look at."""
        return ""

    def _refuse(self) -> NoReturn:
        raise ClusterUnreachableError(
            "This server has no Ray cluster: start it with --ray local, or with the address of one."
        )
