"""The janitor over a real cluster: records go, jobs that outlive their runs end, and nobody else's do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from ended_runs import a_live_run, an_ended_run, keep
from factories import a_project
from ray_contract import ended, runs, submission, until
from stores import Stores, memory_stores

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.errors import JobNotFoundError
from daftray.domain.run import Run
from daftray.retention.janitor import Janitor
from daftray.retention.tally import Tally
from daftray.server.local_ray import LocalCluster

pytestmark = pytest.mark.ray


@pytest.fixture
async def rayjobs(ray_cluster: LocalCluster) -> AsyncGenerator[RayJobsClient]:
    async with RayJobsClient(ray_cluster.url, token=ray_cluster.token) as client:
        yield client


@pytest.fixture
async def stores() -> Stores:
    found = memory_stores()
    found.clock.set(datetime.now(UTC))
    await found.projects.add(a_project(id="prj_demo"))
    return found


async def submit(rayjobs: RayJobsClient, run: Run, program: str) -> str:
    metadata = {"daftray_run_id": run.id}
    await rayjobs.submit(submission(run.submission_id, program, metadata=metadata))
    await until(rayjobs, run.submission_id, ended if program == "true" else runs)
    return run.submission_id


async def test_rays_jobs_are_tidied_away(rayjobs: RayJobsClient, stores: Stores) -> None:
    now = stores.clock.now()
    harvested, outlived = an_ended_run(now - timedelta(hours=1)), an_ended_run(now)
    live, unknown = a_live_run(now), an_ended_run(now - timedelta(hours=1))
    await keep(stores, harvested, outlived, live)
    gone, ends, goes_on, stays = [
        await submit(rayjobs, run, program)
        for run, program in (
            (harvested, "true"),
            (outlived, "sleep 300"),
            (live, "sleep 300"),
            (unknown, "true"),
        )
    ]
    grace = timedelta(minutes=10)
    janitor = Janitor(rayjobs=rayjobs, submitted=stores.submitted, cluster="local", grace=grace)
    tally = Tally()
    await janitor.tidy(tally, dry_run=False)
    assert {one.what: one.count for one in tally.removed()} == {"Ray jobs": 1, "Ray's records of jobs": 1}
    with pytest.raises(JobNotFoundError):
        await rayjobs.get(gone)
    assert (await rayjobs.get(ends)).status.terminal
    assert not (await rayjobs.get(goes_on)).status.terminal
    assert (await rayjobs.get(stays)).status.terminal
    listed = {job.submission_id for job in await rayjobs.list_jobs()}
    assert {ends, goes_on, stays} <= listed
    assert gone not in listed
    await rayjobs.sweep(goes_on)
