"""The `RayJobs` of a cluster, over Ray's job REST API.

Ray's own client is synchronous and waits without limit, and a head whose GCS died leaves requests hanging:
so this one speaks HTTP itself, and every call has time limits. A caller whose `submit` timed out asks with
`get` before it tries again: the job may be there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import httpx

from daftray.adapters.rayjobs.errors import raise_for, translated
from daftray.adapters.rayjobs.logs import DriverLogs
from daftray.adapters.rayjobs.supervisor import kill_by_helper
from daftray.adapters.rayjobs.wire import ClusterMetadata, JobDetails, Version, decode, encode
from daftray.domain.cluster import ClusterInfo, Job, JobSubmission, Package
from daftray.domain.errors import ClusterRefusedError
from daftray.domain.ids import Ids

_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]+")
_UPLOAD_PIECE = 1 << 20
_CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds that each kind of call may wait: for a connection, and then for each read or write."""

    connect_s: float = 3.0
    read_s: float = 10.0
    submit_s: float = 30.0
    upload_s: float = 120.0

    def of(self, read_s: float) -> httpx.Timeout:
        """Return httpx's form of them."""
        return httpx.Timeout(connect=self.connect_s, read=read_s, write=read_s, pool=read_s)


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
        self._url = url.rstrip("/")
        self._timeouts = timeouts or Timeouts()
        self._ids = ids or Ids()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(
            headers=headers,
            transport=transport,
            timeout=self._timeouts.of(self._timeouts.read_s),
            limits=_CONNECTIONS,
            # A proxy of the environment never leads to a head on this machine.
            trust_env=urlsplit(self._url).hostname not in _LOOPBACK,
        )
        self._logs = DriverLogs(self._http, self._url, headers)

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
        await self._http.aclose()

    async def info(self) -> ClusterInfo:
        """Return what the cluster is. Raises `ClusterUnreachableError`, `ClusterRefusedError`."""
        version = decode((await self._get("/api/version")).content, Version)
        metadata = decode((await self._get("/api/v0/cluster_metadata")).content, ClusterMetadata)
        return ClusterInfo(
            session=version.session_name,
            ray_version=version.ray_version,
            python_version=metadata.data.python_version,
        )

    async def ensure_package(self, package: Package) -> None:
        """Make sure that Ray holds a package: asking for it pins it there for ten minutes.

        Raises:
            ClusterRefusedError: it is too large for Ray.
            ClusterUnreachableError: the cluster does not answer.
        """
        path = f"/api/packages/gcs/{quote(package.name, safe='')}"
        with translated(self._url):
            asked = await self._http.get(self._url + path)
            if asked.status_code != HTTPStatus.NOT_FOUND:
                raise_for(asked, self._url)
                return
            put = await self._http.put(
                self._url + path,
                content=_pieces(package.path),
                headers={"Content-Length": str(package.size), "Content-Type": "application/zip"},
                timeout=self._timeouts.of(self._timeouts.upload_s),
            )
        raise_for(put, self._url)

    async def submit(self, submission: JobSubmission) -> None:
        """Submit a job once.

        Raises:
            JobExistsError: there is a job of that submission id.
            ClusterRefusedError: the cluster does not take it.
            ClusterUnreachableError: no answer came; the job may be there nevertheless.
        """
        _check(submission.submission_id)
        with translated(self._url):
            answer = await self._http.post(
                f"{self._url}/api/jobs/",
                content=encode(submission),
                headers={"Content-Type": "application/json"},
                timeout=self._timeouts.of(self._timeouts.submit_s),
            )
        raise_for(answer, self._url, job=submission.submission_id)

    async def get(self, submission_id: str) -> Job:
        """Return a job. Raises `JobNotFoundError`, `ClusterUnreachableError`, `ClusterRefusedError`."""
        path = f"/api/jobs/{_check(submission_id)}"
        return decode((await self._get(path, job=submission_id)).content, JobDetails).as_job(submission_id)

    async def stop(self, submission_id: str) -> None:
        """Ask Ray to stop a job; one that has ended is fine. Raises `JobNotFoundError`."""
        with translated(self._url):
            answer = await self._http.post(f"{self._url}/api/jobs/{_check(submission_id)}/stop")
        raise_for(answer, self._url, job=submission_id)

    async def delete(self, submission_id: str) -> None:
        """Remove the record of a job that has ended; its log file stays on the node."""
        with translated(self._url):
            answer = await self._http.delete(f"{self._url}/api/jobs/{_check(submission_id)}")
        raise_for(answer, self._url, job=submission_id)

    async def kill_supervisor(self, submission_id: str) -> None:
        """End a job that Ray's own stop does not end: one that still waits for resources.

        Takes some seconds: a helper job does it from within the cluster.

        Raises:
            ClusterUnreachableError: it was not done in time.
            ClusterRefusedError: it could not be done.
        """
        await kill_by_helper(self, _check(submission_id), self._ids)

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes of the driver's log from ``offset``; none where it ends."""
        return await self._logs.read(job, offset=offset, limit=limit)

    def dashboard_url(self, job_id: str) -> str:
        """Return the address of a job's page in the Ray dashboard."""
        return f"{self._url}/#/jobs/{quote(job_id, safe='')}"

    async def _get(self, path: str, *, job: str | None = None) -> httpx.Response:
        with translated(self._url):
            answer = await self._http.get(self._url + path)
        raise_for(answer, self._url, job=job)
        return answer


def _check(submission_id: str) -> str:
    """Refuse an id that Ray would keep as a job that pends for ever (``../x``)."""
    if not _SUBMISSION_ID.fullmatch(submission_id):
        raise ClusterRefusedError(f"{submission_id!r} is no submission id: use letters, digits, - and _.")
    return submission_id


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _UPLOAD_PIECE):
            yield piece
