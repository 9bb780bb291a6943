"""What every `RayJobs` does, in memory and on a real cluster."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import zipfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest
from fake_ray import FakeRayJobs
from ray_contract import RUNS_ON, Cluster, a_cluster, ended, new_id, runs, submission, until

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import ClusterResources, Job, JobStatus, JobSubmission, Package
from daftray.domain.errors import (
    ClusterRefusedError,
    ClusterUnreachableError,
    JobExistsError,
    JobNotFoundError,
)
from daftray.server.local_ray import LocalCluster

SPEAKS = "printf 'one\\ntwo\\377\\n'"


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.ray)])
async def cluster(request: pytest.FixtureRequest) -> AsyncGenerator[Cluster, None]:
    async with a_cluster(request) as found:
        yield found


async def test_a_cluster_says_what_it_is(cluster: Cluster) -> None:
    info = await cluster.jobs.info()
    assert info.ray_version == "2.59.0"
    assert info.session.startswith("session_")
    assert info.python_version.count(".") == 2
    if cluster.real is not None:
        assert (info.session, info.python_version) == (cluster.real.session, cluster.real.python_version)


async def resources(cluster: Cluster, enough: Callable[[ClusterResources], bool]) -> ClusterResources:
    """Ask until it is enough: nodes report once in a while, and a head that starts knows of none."""
    for _ in range(100):
        with contextlib.suppress(ClusterUnreachableError):
            if enough(told := await cluster.jobs.resources()):
                return told
        await asyncio.sleep(0.1)
    pytest.fail("the cluster does not tell enough")


async def test_a_cluster_says_what_it_has_and_what_of_it_is_free(cluster: Cluster) -> None:
    cluster.scripted(*RUNS_ON)
    before, name = await resources(cluster, lambda _: True), new_id()
    assert (before.nodes, before.cpus, before.gpus, before.gpus_free) == (1, 4, 0, 0)
    assert before.cpus_free is not None
    assert before.memory_free is not None
    assert 0 < before.memory_free <= before.memory
    await cluster.jobs.submit(submission(name, "exec sleep 300", num_cpus=1.5, memory=1 << 30))
    await until(cluster.jobs, name, runs)
    now = await resources(
        cluster, lambda it: it.cpus_free != before.cpus_free and it.head_memory_total is not None
    )
    assert now.cpus_free == before.cpus_free - 1.5
    assert (now.cpus, now.memory) == (before.cpus, before.memory)
    assert now.memory_free is not None
    taken = before.memory_free - now.memory_free
    assert 0.98 * (1 << 30) < taken < 1.02 * (1 << 30), "Ray rounds it"
    assert 0 < (now.head_memory_free or 0) < (now.head_memory_total or 0)
    await cluster.jobs.stop(name)


async def test_a_cluster_tells_of_its_nodes(cluster: Cluster) -> None:
    await resources(cluster, lambda it: it.head_memory_total is not None)
    head, *others = await cluster.jobs.nodes()
    assert (head.alive, head.head, head.cpus, head.gpus, head.detail) == (True, True, 4, 0, "")
    assert not [node for node in others if node.head or node.alive]
    assert len(head.id) == 56
    assert head.address.count(".") == 3
    assert head.memory > 0
    assert 0 < (head.machine_memory_free or 0) < (head.machine_memory_total or 0)


async def test_a_job_goes_from_submission_to_its_end(cluster: Cluster) -> None:
    name = new_id()
    await cluster.jobs.submit(submission(name, SPEAKS, metadata={"run": name}))
    cluster.write(name, b"one\ntwo\xff\n")
    job = await until(cluster.jobs, name, ended)
    assert (job.status, job.exit_code, job.submission_id) == (JobStatus.SUCCEEDED, 0, name)
    assert job.started_at is not None
    assert job.ended_at is not None
    assert job.ended_at >= job.started_at
    log = await cluster.jobs.read_log(job, offset=0, limit=10_000)
    # Ray adds lines of its own, before or after the program's.
    at = log.index(b"one\ntwo\xff\n")
    assert await cluster.jobs.read_log(job, offset=at + 5, limit=3) == b"wo\xff"
    assert await cluster.jobs.read_log(job, offset=len(log), limit=10) == b""
    assert await cluster.jobs.read_log(job, offset=len(log) + 100, limit=10) == b""


async def test_a_job_that_fails_says_with_what_code(cluster: Cluster) -> None:
    cluster.scripted(*RUNS_ON)
    name = new_id()
    await cluster.jobs.submit(submission(name, "exit 3"))
    if isinstance(cluster.jobs, FakeRayJobs):
        cluster.jobs.end(name, JobStatus.FAILED, exit_code=3)
    job = await until(cluster.jobs, name, ended)
    assert (job.status, job.exit_code) == (JobStatus.FAILED, 3)
    assert job.message


async def test_no_log_is_read_before_the_job_has_a_node(cluster: Cluster) -> None:
    job = Job(submission_id="contract_early", status=JobStatus.PENDING)
    assert await cluster.jobs.read_log(job, offset=0, limit=10) == b""


async def test_a_submission_id_is_used_once(cluster: Cluster) -> None:
    name = new_id()
    await cluster.jobs.submit(submission(name, "true"))
    with pytest.raises(JobExistsError):
        await cluster.jobs.submit(submission(name, "true"))


@pytest.mark.parametrize("name", ["../x/y", "a b", "", "a\n"])
async def test_a_strange_submission_id_is_refused(cluster: Cluster, name: str) -> None:
    with pytest.raises(ClusterRefusedError):
        await cluster.jobs.submit(submission(name, "true"))


async def test_an_unknown_job_is_not_found(cluster: Cluster) -> None:
    name = new_id()
    with pytest.raises(JobNotFoundError):
        await cluster.jobs.get(name)
    with pytest.raises(JobNotFoundError):
        await cluster.jobs.stop(name)


async def test_a_running_job_stops_and_may_be_stopped_again(cluster: Cluster) -> None:
    cluster.scripted(*RUNS_ON)
    name = new_id()
    await cluster.jobs.submit(submission(name, "exec sleep 300"))
    await until(cluster.jobs, name, lambda job: job.status is JobStatus.RUNNING)
    await cluster.jobs.stop(name)
    job = await until(cluster.jobs, name, ended)
    assert job.status is JobStatus.STOPPED
    await cluster.jobs.stop(name)
    assert (await cluster.jobs.get(name)).status is JobStatus.STOPPED


async def test_an_ended_job_is_deleted_once_and_for_all(cluster: Cluster) -> None:
    cluster.scripted(*RUNS_ON)
    name = new_id()
    await cluster.jobs.delete(name)
    await cluster.jobs.submit(submission(name, "exec sleep 300"))
    await until(cluster.jobs, name, lambda job: job.status is JobStatus.RUNNING)
    with pytest.raises(ClusterRefusedError):
        await cluster.jobs.delete(name)
    assert (await cluster.jobs.get(name)).status is JobStatus.RUNNING
    await cluster.jobs.stop(name)
    await until(cluster.jobs, name, ended)
    for _ in range(2):
        await cluster.jobs.delete(name)
    for _ in range(15 if cluster.real else 1):  # Ray would write it anew within a second
        with pytest.raises(JobNotFoundError):
            await cluster.jobs.get(name)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("part", ["working_dir", "py_modules"])
async def test_a_job_says_that_its_package_is_lost(cluster: Cluster, part: str) -> None:
    name, uri = new_id(), f"gcs://{new_id()}.zip"
    runtime_env: dict[str, object] = {part: uri if part == "working_dir" else [uri]}
    await cluster.jobs.submit(JobSubmission(submission_id=name, entrypoint="true", runtime_env=runtime_env))
    job = await until(cluster.jobs, name, ended)
    assert (job.status, job.package_lost, job.node_id) == (JobStatus.FAILED, True, None)


async def test_a_job_that_fails_otherwise_has_its_package(cluster: Cluster) -> None:
    cluster.scripted(JobStatus.FAILED)
    name = new_id()
    said = "Failed to download runtime_env file package gcs://x.zip from the GCS"
    await cluster.jobs.submit(submission(name, f"echo {said}; exit 1"))
    job = await until(cluster.jobs, name, ended)
    assert (job.status, job.package_lost) == (JobStatus.FAILED, False)


async def test_a_package_may_be_ensured_again_and_again(cluster: Cluster, tmp_path: Path) -> None:
    package = a_package(tmp_path, f"{new_id()}.zip")
    await cluster.jobs.ensure_package(package)
    await cluster.jobs.ensure_package(package)
    if isinstance(cluster.jobs, FakeRayJobs):
        assert cluster.jobs.uploads == [package.name]


class CountsUploads(httpx.AsyncHTTPTransport):
    uploads = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.uploads += request.method == "PUT"
        return await super().handle_async_request(request)


EVICT = """
import sys, ray
from ray.experimental.internal_kv import _internal_kv_del
ray.init()
_internal_kv_del(sys.argv[1])
"""


@pytest.mark.ray
async def test_a_package_is_uploaded_once_and_again_when_ray_let_it_go(
    ray_cluster: LocalCluster, tmp_path: Path
) -> None:
    package = a_package(tmp_path, f"{new_id()}.zip")
    transport = CountsUploads()
    async with RayJobsClient(ray_cluster.url, token=ray_cluster.token, transport=transport) as jobs:
        for _ in range(2):
            await jobs.ensure_package(package)
        assert transport.uploads == 1
        evict, uses = new_id(), new_id()
        await jobs.submit(submission(evict, f"python -c {shlex.quote(EVICT)} {package.uri}"))
        assert (await until(jobs, evict, ended)).status is JobStatus.SUCCEEDED
        await jobs.ensure_package(package)
        assert transport.uploads == 2
        await jobs.submit(
            JobSubmission(
                submission_id=uses, entrypoint="python main.py", runtime_env={"working_dir": package.uri}
            )
        )
        job = await until(jobs, uses, ended)
        assert b"packed" in await jobs.read_log(job, offset=0, limit=10_000), job


async def test_a_dashboard_has_a_page_for_a_job(cluster: Cluster) -> None:
    assert cluster.jobs.dashboard_url("02000000").endswith("/#/jobs/02000000")
    assert cluster.jobs.dashboard_url().endswith("/#/cluster")


def a_package(folder: Path, name: str) -> Package:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.py", "print('packed')\n")
    return Package(name=name, path=path, size=path.stat().st_size)
