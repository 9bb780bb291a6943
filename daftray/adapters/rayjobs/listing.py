"""Ray's list of all jobs, as far as it is used: the list holds each job's whole runtime environment."""

from __future__ import annotations

import msgspec

from daftray.adapters.rayjobs.rest import Rest
from daftray.adapters.rayjobs.wire import decode
from daftray.domain.cluster import JobStatus, ListedJob


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A job in ``GET /api/jobs/``. One that no submission made (a driver's own) has no id of that kind."""

    submission_id: str | None = None
    status: JobStatus
    metadata: dict[str, str] | None = None


async def list_jobs(head: Rest) -> list[ListedJob]:
    """Return all jobs that were submitted to a cluster, and whose records it still has.

    Raises:
        ClusterUnreachableError, ClusterRefusedError: it does not tell.
    """
    listed = decode(await head.get("/api/jobs/"), list[_Listed])
    return [
        ListedJob(submission_id=job.submission_id, status=job.status, metadata=job.metadata or {})
        for job in listed
        if job.submission_id
    ]
