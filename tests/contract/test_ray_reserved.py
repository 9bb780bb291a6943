"""What a cluster set aside for a job, against what the job's own clock says."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from ray_contract import RUNS_ON, Cluster, a_cluster, ended, new_id, submission, until

from daftray.domain.cluster import ReservedCpu
from daftray.domain.errors import ClusterUnreachableError
from daftray.server.no_cluster import NoCluster

PROGRAM = """
import time, ray

ray.init(log_to_driver=False)

@ray.remote(num_cpus=0.5)
def work():
    began = time.time()
    time.sleep(1)
    return time.time() - began

@ray.remote(num_cpus=1)
class Held:
    def __init__(self):
        self.began = time.time()

    def so_far(self):
        return time.time() - self.began

@ray.remote(num_cpus=0)
class Free:
    def rest(self):
        time.sleep(1)

def timed(call):
    began = time.time()
    return call(), time.time() - began

free = Free.remote()
ray.get([work.options(num_cpus=0).remote(), free.rest.remote()])
began = time.time()
held = Held.remote()
ray.get(held.so_far.remote())
inside, outside = zip(*(timed(lambda: ray.get(work.remote())) for _ in range(4)))
lived = ray.get(held.so_far.remote())
ray.kill(held)
while ray.available_resources().get("CPU") != 4:
    time.sleep(0.1)
print("at least", 0.5 * sum(inside) + lived, flush=True)
print("at most", 0.5 * sum(outside) + time.time() - began, flush=True)
"""


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.ray)])
async def cluster(request: pytest.FixtureRequest):
    async with a_cluster(request) as found:
        yield found


async def test_the_drivers_own_cpus_are_set_aside_while_it_runs(cluster: Cluster) -> None:
    name = new_id()
    cluster.scripted(*RUNS_ON)
    await cluster.jobs.submit(submission(name, "sleep 2", num_cpus=0.5))
    if cluster.real:
        job = await until(cluster.jobs, name, ended)
        found = await cluster.jobs.reserved(job, at=datetime.now(UTC))
        assert 1 <= found.seconds <= 4, "half a CPU for two seconds, and the supervisor's start and end"
        return
    job = await cluster.jobs.get(name)
    assert job.started_at is not None
    assert await cluster.jobs.reserved(job, at=job.started_at) == ReservedCpu(seconds=0)


async def test_a_job_that_reserves_nothing_has_no_seconds(cluster: Cluster) -> None:
    name = new_id()
    await cluster.jobs.submit(submission(name, "sleep 1"))
    job = await until(cluster.jobs, name, ended)
    assert await cluster.jobs.reserved(job, at=datetime.now(UTC)) == ReservedCpu(seconds=0)


async def test_no_cluster_tells_nothing(cluster: Cluster) -> None:
    name = new_id()
    await cluster.jobs.submit(submission(name, "true"))
    job = await until(cluster.jobs, name, ended)
    with pytest.raises(ClusterUnreachableError):
        await NoCluster().reserved(job, at=datetime.now(UTC))


@pytest.mark.ray
@pytest.mark.parametrize("cluster", ["real"], indirect=True)
async def test_requested_cpus_by_running_time_of_tasks_and_actors(cluster: Cluster) -> None:
    name = new_id()
    text = base64.b64encode(PROGRAM.encode()).decode()
    run = f"python -c 'import base64; exec(base64.b64decode(\"{text}\"))'"
    await cluster.jobs.submit(submission(name, run))
    job = await until(cluster.jobs, name, ended)
    log = (await cluster.jobs.read_log(job, offset=0, limit=1 << 20)).decode()
    at_least, at_most = (float(line.split()[-1]) for line in log.splitlines() if line.startswith("at "))
    found = await cluster.jobs.reserved(job, at=datetime.now(UTC))
    assert not found.partial
    # Ray's times are in milliseconds.
    assert at_least - 0.01 <= found.seconds <= at_most + 0.01
