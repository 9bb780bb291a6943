"""What the contract tests of `RayJobs` share: a cluster, in memory or real, and a look at what is on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
import pytest
from fake_ray import FakeRayJobs

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.ids import Ids
from daftray.domain.ports import RayJobs
from daftray.server.local_ray import LocalCluster

RUNS_ON = (JobStatus.PENDING, JobStatus.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    jobs: RayJobs
    real: LocalCluster | None

    def scripted(self, *statuses: JobStatus) -> None:
        if isinstance(self.jobs, FakeRayJobs):
            self.jobs.script = statuses

    def write(self, submission_id: str, log: bytes) -> None:
        if isinstance(self.jobs, FakeRayJobs):
            self.jobs.write(submission_id, log)

    def leave(self, submission_id: str, *things: str) -> None:
        """Let a job in memory leave what the real one's program leaves."""
        if isinstance(self.jobs, FakeRayJobs):
            self.jobs.leave(submission_id, *things)

    async def there(self, mark: str) -> set[str]:
        """Return the actors, placement groups and processes that are there and have a mark in their name.

        Those of a real cluster are looked up without the code that is tested.
        """
        if isinstance(self.jobs, FakeRayJobs):
            left = [thing for job in self.jobs.jobs.values() for thing in job.left]
            return {thing for thing in left if mark in thing}
        assert self.real is not None
        headers = {"Authorization": f"Bearer {self.real.token}"}
        async with httpx.AsyncClient(base_url=self.real.url, headers=headers, trust_env=False) as http:
            actors = await self._listed(http, "actors")
            groups = await self._listed(http, "placement_groups")
        found = {f"actor {actor['name']}" for actor in actors if actor["state"] != "DEAD"}
        found |= {f"group {group['name']}" for group in groups if group["state"] != "REMOVED"}
        for process in psutil.process_iter(["cmdline"]):
            found |= {f"process {word}" for word in process.info["cmdline"] or () if word.startswith("mark-")}
        return {thing for thing in found if mark in thing}

    async def _listed(self, http: httpx.AsyncClient, what: str) -> list[dict[str, Any]]:
        answer = await http.get(f"/api/v0/{what}", params={"limit": 10_000})
        return answer.raise_for_status().json()["data"]["result"]["result"]


@asynccontextmanager
async def a_cluster(request: pytest.FixtureRequest) -> AsyncGenerator[Cluster, None]:
    """The one that a fixture's parameter names: ``fake`` or ``real``."""
    if request.param == "fake":
        yield Cluster(jobs=FakeRayJobs(), real=None)
        return
    local: LocalCluster = request.getfixturevalue("ray_cluster")
    async with RayJobsClient(local.url, token=local.token) as client:
        yield Cluster(jobs=client, real=local)


def new_id() -> str:
    return f"contract_{Ids().token()}"


async def until(jobs: RayJobs, submission_id: str, done: Callable[[Job], bool]) -> Job:
    job = await jobs.get(submission_id)
    for _ in range(300):
        if done(job):
            return job
        await asyncio.sleep(0.1)
        job = await jobs.get(submission_id)
    pytest.fail(f"the job stayed {job}")


def ended(job: Job) -> bool:
    return job.status.terminal


def runs(job: Job) -> bool:
    return job.status is JobStatus.RUNNING


def submission(submission_id: str, entrypoint: str, **fields: object) -> JobSubmission:
    return JobSubmission(submission_id=submission_id, entrypoint=entrypoint, runtime_env={}, **fields)  # type: ignore[arg-type] (fields of the struct, by name)
