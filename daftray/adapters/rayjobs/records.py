"""Ray's records of jobs, and how they go.

Ray keeps a record until it is told otherwise. Its watcher of a job looks once a second; if the record is gone
when it sees that the job's supervisor has ended, it writes a new one, of a job that failed
(``_monitor_job_internal`` and ``put_status`` of Ray 2.59). So a record is deleted only some seconds after the
end.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from daftray.adapters.rayjobs.errors import raise_for, translated
from daftray.adapters.rayjobs.rest import Rest
from daftray.adapters.rayjobs.wire import JobDetails, decode
from daftray.domain.errors import ClusterRefusedError, JobNotFoundError

SETTLED_AFTER_S = 5.0


async def delete_record(head: Rest, submission_id: str) -> None:
    """Delete the record of a job that has ended; one that is gone is fine.

    Raises:
        ClusterRefusedError: the job has not ended.
        ClusterUnreachableError: the cluster does not answer.
    """
    path = f"/api/jobs/{submission_id}"
    with contextlib.suppress(JobNotFoundError):
        with translated(head.url):
            answer = await head.client.get(head.url + path)
        raise_for(answer, head.url, job=submission_id)
        job = decode(answer.content, JobDetails)
        if not job.status.terminal:
            raise ClusterRefusedError(
                f"Job {submission_id} has not ended, so that its record stays: stop it first."
            )
        await asyncio.sleep(_settles_in(job.end_time, answer.headers.get("Date")))
        await head.call("DELETE", path, job=submission_id)


def _settles_in(end_time: int | None, date: str | None) -> float:
    """Return the seconds until a job's end is long enough ago, by the clock of the head that answered."""
    if not end_time or not date:
        return SETTLED_AFTER_S
    try:
        ended_for = parsedate_to_datetime(date) - datetime.fromtimestamp(end_time / 1000, UTC)
    except (ValueError, TypeError):
        return SETTLED_AFTER_S
    return min(max(0.0, SETTLED_AFTER_S - ended_for.total_seconds()), SETTLED_AFTER_S)
