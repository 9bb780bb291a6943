"""End a job that waits for resources, which Ray's own stop leaves pending for a quarter of an hour.

Only killing the job's supervisor actor ends it, and that takes a driver inside the cluster: a small job of
its own, which needs no CPU.
"""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress
from typing import Protocol

from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import ClusterError, ClusterRefusedError, ClusterUnreachableError
from daftray.domain.ids import Ids

_POLL_S = 0.2
_POLLS = 150
"""Thirty seconds: the helper takes five to eight on an idle machine."""

# Names of ray/dashboard/modules/job/common.py (JOB_ACTOR_NAME_TEMPLATE, SUPERVISOR_ACTOR_RAY_NAMESPACE).
_SCRIPT = """
import sys, ray
ray.init(log_to_driver=False, namespace="SUPERVISOR_ACTOR_RAY_NAMESPACE")
try:
    actor = ray.get_actor("_ray_internal_job_actor_" + sys.argv[1])
except ValueError:
    sys.exit(0)
ray.kill(actor)
"""


class _Jobs(Protocol):
    async def submit(self, submission: JobSubmission) -> None: ...
    async def get(self, submission_id: str) -> Job: ...
    async def stop(self, submission_id: str) -> None: ...
    async def delete(self, submission_id: str) -> None: ...


async def kill_by_helper(jobs: _Jobs, submission_id: str, ids: Ids) -> None:
    """Kill a job's supervisor; one that is gone is fine.

    Raises:
        ClusterUnreachableError: the helper did not end in time.
        ClusterRefusedError: the helper failed.
    """
    helper = f"{submission_id}-kill-{ids.token()}"
    await jobs.submit(
        JobSubmission(
            submission_id=helper,
            entrypoint=f"python -c {shlex.quote(_SCRIPT)} {shlex.quote(submission_id)}",
            runtime_env={},
            metadata={"daftray_helper_for": submission_id},
        )
    )
    try:
        ended = await _end_of(jobs, helper)
    finally:
        with suppress(ClusterError):
            await jobs.delete(helper)
    if ended.status is not JobStatus.SUCCEEDED:
        last = (ended.message.strip().splitlines() or ["it gave no reason"])[-1]
        raise ClusterRefusedError(f"The supervisor of job {submission_id} could not be killed: {last}")


async def _end_of(jobs: _Jobs, helper: str) -> Job:
    for _ in range(_POLLS):
        job = await jobs.get(helper)
        if job.status.terminal:
            return job
        await asyncio.sleep(_POLL_S)
    with suppress(ClusterError):
        await jobs.stop(helper)
    raise ClusterUnreachableError(
        f"The helper job {helper} did not end in {_POLL_S * _POLLS:.0f} s: is the cluster overloaded?"
    )
