"""What a sweep ends, and what it leaves alone, in memory and on a real cluster."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import AsyncGenerator

import httpx
import pytest
from fake_ray import FakeRayJobs
from ray_contract import RUNS_ON, Cluster, a_cluster, ended, new_id, runs, submission, until

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import JobStatus, JobSubmission
from daftray.domain.errors import JobNotFoundError
from daftray.server.local_ray import LocalCluster

ESCAPES = """
import subprocess, sys
program = "setsid sh -c 'while sleep 1; do :; done' mark-{}-process".format(sys.argv[1])
subprocess.run(["sh", "-c", program + " </dev/null >/dev/null 2>&1 &"], start_new_session=True, check=True)
"""
LEAVES = (
    ESCAPES
    + """
import time, ray
from ray.util.placement_group import placement_group

@ray.remote(num_cpus=0)
class Stays:
    def here(self):
        return True

def stays(name):
    actor = Stays.options(name="mark-{}-{}".format(sys.argv[1], name), lifetime="detached").remote()
    ray.get(actor.here.remote())

ray.init(namespace="one", log_to_driver=False)
stays("first")
ray.get(placement_group([{"CPU": 1}], lifetime="detached", name="mark-{}-group".format(sys.argv[1])).ready())
ray.shutdown()
ray.init(namespace="two", log_to_driver=False)
stays("second")
time.sleep(300)
"""
)
HANGS = "trap '' TERM; while sleep 1; do :; done"


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.ray)])
async def cluster(request: pytest.FixtureRequest) -> AsyncGenerator[Cluster, None]:
    async with a_cluster(request) as found:
        yield found


def python(script: str, *arguments: str) -> str:
    return shlex.join(["exec", "python", "-c", script, *arguments])


def a_run(run: str, attempt: int, command: str, **fields: object) -> JobSubmission:
    """A job with what daftray sets in every run."""
    env = {"DAFTRAY_RUN_ID": run, "DAFTRAY_ATTEMPT": str(attempt)}
    return JobSubmission(
        submission_id=f"{run}-{attempt}",
        entrypoint=command,
        runtime_env={"env_vars": env},
        **fields,  # type: ignore[arg-type] (fields of the struct, by name)
    )


async def things(cluster: Cluster, mark: str, expected: set[str]) -> set[str]:
    """Wait until there is what is expected: a program takes a while to leave it."""
    found: set[str] = set()
    for _ in range(300):
        found = await cluster.there(mark)
        if found == expected:
            break
        await asyncio.sleep(0.1)
    return found


async def test_nothing_is_left_of_a_run_that_was_stopped_and_swept(cluster: Cluster) -> None:
    cluster.scripted(*RUNS_ON)
    run, mark = new_id(), "mark-"
    first, second = f"{run}-1", f"{run}-2"
    detached = {f"actor mark-{first}-first", f"actor mark-{first}-second", f"group mark-{first}-group"}
    escaped, others = f"process mark-{first}-process", f"process mark-{second}-process"
    await cluster.jobs.submit(a_run(run, 1, python(LEAVES, first)))
    cluster.leave(first, *detached, escaped)
    assert await things(cluster, f"mark-{first}", {*detached, escaped}) == {*detached, escaped}

    await until(cluster.jobs, first, runs)
    await cluster.jobs.stop(first)
    await until(cluster.jobs, first, ended)
    cluster.scripted(JobStatus.SUCCEEDED)
    await cluster.jobs.submit(a_run(run, 2, python(ESCAPES, second)))
    cluster.leave(second, others)
    await until(cluster.jobs, second, ended)
    assert await things(cluster, mark + run, {*detached, escaped, others}) == {*detached, escaped, others}

    assert await cluster.jobs.sweep(first, processes=False) == ()
    assert await cluster.there(mark + run) == {escaped, others}
    assert await cluster.jobs.sweep(first) == ()
    assert await cluster.there(mark + run) == {others}
    assert await cluster.jobs.sweep(second) == ()
    assert await cluster.there(mark + run) == set()
    for name, status in ((first, JobStatus.STOPPED), (second, JobStatus.SUCCEEDED)):
        assert (await cluster.jobs.get(name)).status is status


async def test_a_sweep_needs_no_free_cpu_and_ends_what_waits_and_what_runs(cluster: Cluster) -> None:
    cluster.scripted(*RUNS_ON)
    hogs, waits = new_id(), new_id()
    await cluster.jobs.submit(a_run(hogs, 1, HANGS, num_cpus=4))
    await until(cluster.jobs, f"{hogs}-1", runs)
    cluster.scripted(JobStatus.PENDING)
    await cluster.jobs.submit(a_run(waits, 1, "true", num_cpus=1))
    await cluster.jobs.stop(f"{waits}-1")
    assert (await cluster.jobs.get(f"{waits}-1")).status is JobStatus.PENDING

    assert await cluster.jobs.sweep(f"{waits}-1") == ()
    assert (await cluster.jobs.get(f"{waits}-1")).status is JobStatus.FAILED
    assert (await cluster.jobs.get(f"{hogs}-1")).status is JobStatus.RUNNING
    assert await cluster.jobs.sweep(f"{hogs}-1") == ()
    assert (await cluster.jobs.get(f"{hogs}-1")).status is JobStatus.STOPPED


async def test_sweeping_what_is_clean_or_gone_is_fine(cluster: Cluster) -> None:
    cluster.scripted(JobStatus.SUCCEEDED)
    name = new_id()
    await cluster.jobs.submit(submission(name, "true"))
    await until(cluster.jobs, name, ended)
    for left in (name, new_id()):
        assert await cluster.jobs.sweep(left, processes=False) == ()


async def test_what_cannot_be_ended_is_said() -> None:
    jobs = FakeRayJobs((JobStatus.SUCCEEDED,))
    await jobs.submit(submission("run_1-1", "true"))
    jobs.leave("run_1-1", "actor a")
    jobs.leave("run_1-1", "process 7 (sleep)", stubborn=True)
    assert await jobs.sweep("run_1-1") == ("process 7 (sleep)",)


class KeepsHelpers(httpx.AsyncHTTPTransport):
    """Keeps the ids of the helpers that are submitted."""

    def __init__(self) -> None:
        super().__init__()
        self.helpers: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and b"daftray_helper" in request.content:
            self.helpers.append(json.loads(request.content)["submission_id"])
        return await super().handle_async_request(request)


@pytest.mark.ray
async def test_sweeps_that_come_together_share_a_helper_whose_record_goes(ray_cluster: LocalCluster) -> None:
    names, transport = [new_id() for _ in range(5)], KeepsHelpers()
    async with RayJobsClient(ray_cluster.url, token=ray_cluster.token, transport=transport) as jobs:
        for name in names:
            await jobs.submit(submission(name, "true", num_cpus=1000))
        assert await asyncio.gather(*map(jobs.sweep, names)) == [()] * len(names)
        [helper] = transport.helpers
        for name in names:
            assert (await jobs.get(name)).status is JobStatus.FAILED
        with pytest.raises(JobNotFoundError):
            await until(jobs, helper, lambda _: False)
