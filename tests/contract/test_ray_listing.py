"""What every `RayJobs` tells of all its jobs at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from fake_ray import FakeRayJobs
from ray_contract import RUNS_ON, Cluster, a_cluster, ended, new_id, runs, submission, until

from daftray.domain.cluster import JobStatus, ListedJob
from daftray.domain.errors import ClusterUnreachableError
from daftray.server.no_cluster import NoCluster


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.ray)])
async def cluster(request: pytest.FixtureRequest) -> AsyncGenerator[Cluster, None]:
    async with a_cluster(request) as found:
        yield found


async def listed(cluster: Cluster) -> dict[str, ListedJob]:
    return {job.submission_id: job for job in await cluster.jobs.list_jobs()}


async def test_jobs_are_listed_until_their_records_are_deleted(cluster: Cluster) -> None:
    done, goes_on = new_id(), new_id()
    await cluster.jobs.submit(submission(done, "true", metadata={"daftray_run_id": "run_1"}))
    await until(cluster.jobs, done, ended)
    cluster.scripted(*RUNS_ON)
    await cluster.jobs.submit(submission(goes_on, "sleep 60"))
    await until(cluster.jobs, goes_on, runs)
    found = await listed(cluster)
    assert found[done] == ListedJob(
        submission_id=done, status=JobStatus.SUCCEEDED, metadata={"daftray_run_id": "run_1"}
    )
    assert (found[goes_on].status, found[goes_on].metadata.get("daftray_run_id")) == (JobStatus.RUNNING, None)
    await cluster.jobs.delete(done)
    assert done not in await listed(cluster)
    await cluster.jobs.stop(goes_on)
    await until(cluster.jobs, goes_on, ended)
    assert (await listed(cluster))[goes_on].status is JobStatus.STOPPED


async def test_a_cluster_that_is_away_lists_nothing() -> None:
    away = FakeRayJobs()
    away.unreachable = True
    for jobs in (away, NoCluster()):
        with pytest.raises(ClusterUnreachableError):
            await jobs.list_jobs()
