"""The `RayJobs` of a cluster, over Ray's job REST API.

Ray's own client is synchronous and waits without limit, and a head whose GCS died leaves requests hanging:
so this one speaks HTTP itself, and every call has time limits. A caller whose `submit` timed out asks with
`get` before it tries again: the job may be there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from daftray.adapters.rayjobs.errors import raise_for, translated
from daftray.adapters.rayjobs.listing import list_jobs
from daftray.adapters.rayjobs.logs import DriverLogs
from daftray.adapters.rayjobs.records import delete_record
from daftray.adapters.rayjobs.reserved import Reserved
from daftray.adapters.rayjobs.resources import Resources
from daftray.adapters.rayjobs.rest import Rest, Timeouts
from daftray.adapters.rayjobs.sweeper import Sweeper
from daftray.adapters.rayjobs.wire import ClusterMetadata, JobDetails, Version, decode, encode
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
from daftray.domain.errors import ClusterRefusedError
from daftray.domain.ids import Ids

_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]+")
_UPLOAD_PIECE = 1 << 20


class RayJobsClient:
    """One Ray cluster. ``url`` is its dashboard's address, ``token`` Ray's own (``RAY_AUTH_MODE=token``)."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        ids: Ids | None = None,
    ) -> None:
        self._rest = Rest(url, token=token, transport=transport, timeouts=timeouts or Timeouts())
        self._logs = DriverLogs(self._rest)
        self._resources = Resources(self._rest)
        self._reserved = Reserved(self._rest)
        self._sweeper = Sweeper(self, self._rest, ids or Ids())

    async def __aenter__(self) -> Self:
        """Use the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sweeper.aclose()
        await self._rest.aclose()

    async def info(self) -> ClusterInfo:
        """Return what the cluster is. Raises `ClusterUnreachableError`, `ClusterRefusedError`."""
        version = decode(await self._rest.get("/api/version"), Version)
        metadata = decode(await self._rest.get("/api/v0/cluster_metadata"), ClusterMetadata)
        return ClusterInfo(
            session=version.session_name,
            ray_version=version.ray_version,
            python_version=metadata.data.python_version,
        )

    async def resources(self) -> ClusterResources:
        """Return what the cluster has and what of it is free (see `daftray.adapters.rayjobs.resources`).

        Raises:
            ClusterUnreachableError, ClusterRefusedError: it does not tell.
        """
        return await self._resources.read()

    async def nodes(self) -> tuple[ClusterNode, ...]:
        """Return the nodes. Raises `ClusterUnreachableError`, `ClusterRefusedError`."""
        return await self._resources.nodes()

    async def ensure_package(self, package: Package) -> None:
        """Make sure that Ray holds a package: asking for it pins it there for ten minutes.

        Raises:
            ClusterRefusedError: it is too large for Ray.
            ClusterUnreachableError: the cluster does not answer.
        """
        url = f"{self._rest.url}/api/packages/gcs/{quote(package.name, safe='')}"
        timeouts = self._rest.timeouts
        with translated(self._rest.url):
            asked = await self._rest.client.get(url)
            if asked.status_code != HTTPStatus.NOT_FOUND:
                raise_for(asked, self._rest.url)
                return
            put = await self._rest.client.put(
                url,
                content=_pieces(package.path),
                headers={"Content-Length": str(package.size), "Content-Type": "application/zip"},
                timeout=timeouts.of(timeouts.upload_s),
            )
        raise_for(put, self._rest.url)

    async def submit(self, submission: JobSubmission) -> None:
        """Submit a job once.

        Raises:
            JobExistsError: there is a job of that submission id.
            ClusterRefusedError: the cluster does not take it.
            ClusterUnreachableError: no answer came; the job may be there nevertheless.
        """
        _check(submission.submission_id)
        timeouts = self._rest.timeouts
        with translated(self._rest.url):
            answer = await self._rest.client.post(
                f"{self._rest.url}/api/jobs/",
                content=encode(submission),
                headers={"Content-Type": "application/json"},
                timeout=timeouts.of(timeouts.submit_s),
            )
        raise_for(answer, self._rest.url, job=submission.submission_id)

    async def get(self, submission_id: str) -> Job:
        """Return a job. Raises `JobNotFoundError`, `ClusterUnreachableError`, `ClusterRefusedError`."""
        answer = await self._rest.get(f"/api/jobs/{_check(submission_id)}", job=submission_id)
        return decode(answer, JobDetails).as_job(submission_id)

    async def reserved(self, job: Job, *, at: datetime) -> ReservedCpu:
        """Return the CPU seconds that were set aside for a job (see `daftray.adapters.rayjobs.reserved`).

        Raises:
            ClusterUnreachableError, ClusterRefusedError: the cluster does not tell.
        """
        return await self._reserved.read(job, at=at)

    async def list_jobs(self) -> list[ListedJob]:
        """Return all jobs that were submitted. Raises `ClusterUnreachableError`, `ClusterRefusedError`."""
        return await list_jobs(self._rest)

    async def stop(self, submission_id: str) -> None:
        """Ask Ray to stop a job; one that has ended is fine. Raises `JobNotFoundError`."""
        await self._rest.call("POST", f"/api/jobs/{_check(submission_id)}/stop", job=submission_id)

    async def delete(self, submission_id: str) -> None:
        """Remove Ray's record of a job that has ended; its log file stays on the node. One gone is fine.

        Waits some seconds where the job ended just now.

        Raises:
            ClusterRefusedError: the job has not ended.
            ClusterUnreachableError: the cluster does not answer.
        """
        await delete_record(self._rest, _check(submission_id))

    async def sweep(self, submission_id: str, *, processes: bool = True) -> tuple[str, ...]:
        """End whatever a job still holds or has left (see `daftray.adapters.rayjobs.sweeper`).

        Raises:
            ClusterUnreachableError: it was not done in twelve seconds.
            ClusterRefusedError: it could not be done.
        """
        return await self._sweeper.sweep(_check(submission_id), processes=processes)

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes of the driver's log from ``offset``; none where it ends."""
        return await self._logs.read(job, offset=offset, limit=limit)

    def dashboard_url(self, job_id: str | None = None) -> str:
        """Return the address of a job's page in the Ray dashboard, or of the page of the cluster."""
        if job_id is None:
            return f"{self._rest.url}/#/cluster"
        return f"{self._rest.url}/#/jobs/{quote(job_id, safe='')}"


def _check(submission_id: str) -> str:
    """Refuse an id that Ray would keep as a job that pends for ever (``../x``)."""
    if not _SUBMISSION_ID.fullmatch(submission_id):
        raise ClusterRefusedError(f"{submission_id!r} is no submission id: use letters, digits, - and _.")
    return submission_id


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _UPLOAD_PIECE):
            yield piece
