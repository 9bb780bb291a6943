"""The runner in all of a run's processes on a real Ray: driver, tasks, actors, Daft's own, their children."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
from control_stub import ControlStub, control_stub
from factories import a_run
from openai_server import OpenAiServer, openai_server
from runner_process import file, function

from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import Job, JobStatus
from daftray.domain.spec import Environment
from daftray.runtime_env import submission
from daftray.runtime_env.packages import ZipPackages
from daftray.server.local_ray import LocalCluster

pytestmark = pytest.mark.ray

SECRET = "s3cret-value"


class RayRuns:
    """Runs entrypoints as jobs of a cluster, with the package that every run gets."""

    def __init__(self, jobs: RayJobsClient, control: ControlStub, folder: Path) -> None:
        self._jobs = jobs
        self.control = control
        self._source = folder / "source"
        self._packages = ZipPackages(
            folder / "packages", mirrors=BareMirrors(folder / "git", allow_local=True)
        )

    async def run(
        self, files: Mapping[str, str], entrypoint: dict[str, Any], **variables: str
    ) -> tuple[Job, str]:
        """Run to the end; return the job and its log."""
        for name, text in files.items():
            path = self._source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        package = await self._packages.from_directory(self._source)
        runner = await self._packages.runner()
        for each in (package, runner):
            await self._jobs.ensure_package(each)
        self.control.entrypoint = entrypoint
        run = a_run(environment=Environment(environment_variables={"RAY_TQDM": "0", **variables}))
        job = submission.build(
            run, package=package, runner=runner, report_url=self.control.url, run_token="run-token"
        )
        await self._jobs.submit(job)
        ended = await self._end(job.submission_id)
        return ended, (await self._jobs.read_log(ended, offset=0, limit=100_000)).decode()

    async def _end(self, submission_id: str) -> Job:
        for _ in range(1200):
            job = await self._jobs.get(submission_id)
            if job.status.terminal:
                return job
            await asyncio.sleep(0.1)
        pytest.fail("the job did not end")


@pytest.fixture
def server() -> Generator[OpenAiServer]:
    with openai_server() as served:
        yield served


@pytest.fixture
async def ray_runs(ray_cluster: LocalCluster, tmp_path: Path) -> AsyncGenerator[RayRuns]:
    with control_stub() as control:
        async with RayJobsClient(ray_cluster.url, token=ray_cluster.token) as jobs:
            yield RayRuns(jobs, control, tmp_path)


PLAIN = """
import os, subprocess, sys, time
import daftray, ray
from beside import shared

class Local:
    def __init__(self, value): self.value = value

@ray.remote
def task(number):
    daftray.increment("counted", kind="task")
    return Local(number), shared(), os.environ["MY_SECRET"], os.environ["FROM_INIT"]

@ray.remote
class Actor:
    def burn(self):
        daftray.increment("counted", kind="actor")
        until = time.process_time() + 0.5
        while time.process_time() < until: pass
        child = "import daftray, time; daftray.increment('counted', kind='child')"
        subprocess.run([sys.executable, "-c", child + chr(10) + "while time.process_time() < 0.5: pass"])

ray.init(runtime_env={"env_vars": {"FROM_INIT": "yes"}})
print([(local.value, *rest) == (number, 42, os.environ["MY_SECRET"], "yes")
       for number, (local, *rest) in enumerate(ray.get([task.remote(number) for number in range(3)]))])
actor = Actor.remote()
ray.get(actor.burn.remote())
"""


async def test_ray_tasks_and_actors_are_as_the_driver(ray_runs: RayRuns) -> None:
    """Its secrets, its imports, its counters; what a worker counted last is there when the run has ended."""
    control = ray_runs.control
    control.secrets = {"MY_SECRET": SECRET}
    beside = "def shared(): return 42\n"

    job, log = await ray_runs.run({"jobs/main.py": PLAIN, "jobs/beside.py": beside}, file("jobs/main.py"))

    assert (job.status, "[True, True, True]" in log) == (JobStatus.SUCCEEDED, True), log
    counted = {
        kind: control.total("daftray.user.counted", {"kind": kind}) for kind in ("task", "actor", "child")
    }
    assert counted == {"task": 3, "actor": 1, "child": 1}
    (actor,) = [who for (who, _, pairs) in control.counters() if ("kind", "actor") in pairs]
    cpu_s = sum(
        value
        for (who, name, _), value in control.counters().items()
        if who == actor and name == "process.cpu.time"
    )
    assert cpu_s > 1.0  # its own half second, its child's, and what Ray's start took
    assert SECRET not in log


async def test_an_exception_of_a_task_has_the_frames_of_its_worker(ray_runs: RayRuns) -> None:
    source = """
import ray

def inner(number):
    raise KeyError("missing")

@ray.remote
def task(number):
    return inner(number)

ray.get(task.remote(1))
"""
    job, _ = await ray_runs.run({"jobs/main.py": source}, file("jobs/main.py"))

    assert (job.status, job.exit_code) == (JobStatus.FAILED, 1)
    exception = ray_runs.control.finished["exception"]
    users = [(each["file"], each["function"], each["code"]) for each in exception["frames"] if each["user"]]
    assert users == [
        ("jobs/main.py", "<module>", "ray.get(task.remote(1))"),
        ("jobs/main.py", "task", "return inner(number)"),
        ("jobs/main.py", "inner", 'raise KeyError("missing")'),
    ]
    assert exception["causes"][0]["type"] == "KeyError"


async def test_workers_import_a_file_that_has_no_name_of_its_own(ray_runs: RayRuns) -> None:
    source = """
import dataclasses, ray

@dataclasses.dataclass
class Point:
    x: int

def move(point): return Point(point.x + 1)

def main(count: int):
    return [ray.get(ray.remote(move).remote(Point(number))).x for number in range(count)]
"""
    job, log = await ray_runs.run(
        {"jobs/2024-etl.py": source}, function("jobs/2024-etl.py", "main", count="2")
    )

    assert job.status is JobStatus.SUCCEEDED, log
    assert ray_runs.control.result["value"] == [1, 2]


DAFT = """
import daft, daftray
from daft.functions import prompt

@daft.func
def row(n: int) -> int:
    daftray.increment("rows", kind="func")
    return n + 1

@daft.cls(max_concurrency=2)
class Pool:
    def __call__(self, n: int) -> int:
        daftray.increment("rows", kind="actors")
        return n

@daft.cls(use_process=True)
class Process:
    def __call__(self, n: int) -> int:
        daftray.increment("rows", kind="process")
        return n

def main():
    frame = daft.from_pydict({"n": list(range(8)), "text": ["one two three"] * 8})
    for name, function in (("row", row), ("pool", Pool()), ("process", Process())):
        frame = frame.with_column(name, function(frame["n"]))
    frame = frame.with_column("answer", prompt(frame["text"], model="answers"))
    return frame.with_column("chat", prompt(frame["text"], model="chats", use_chat_completions=True))
"""


async def test_daft_is_counted_in_each_kind_of_its_processes(ray_runs: RayRuns, server: OpenAiServer) -> None:
    """Among them actor pools and subprocesses, whose counters Daft itself loses."""
    job, log = await ray_runs.run(
        {"flow.py": DAFT}, function("flow.py", "main"), OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="none"
    )

    control = ray_runs.control
    assert job.status is JobStatus.SUCCEEDED, log
    counted = {
        kind: control.total("daftray.user.rows", {"kind": kind}) for kind in ("func", "actors", "process")
    }
    assert counted == {"func": 8, "actors": 8, "process": 8}
    assert control.total("daftray.requests") == server.requests == 16
    tokens = "gen_ai.client.token.usage"
    assert control.total(tokens, {"gen_ai.token.type": "input"}) == server.tokens_in
    assert control.total(tokens, {"gen_ai.token.type": "output"}) == server.tokens_out
    assert (control.result["kind"], control.result["rows"], len(control.result["preview"])) == ("table", 8, 8)
    assert control.result["preview"][3]["pool"] == 3


METRICS = """
import os, time
from urllib.request import urlopen
import daftray, ray

@ray.remote
class Actor:
    def count(self):
        daftray.record_usage(model="m", provider="p", requests=2, tokens_in=30, tokens_out=4)
        daftray.increment("pages", 5)

ray.init()
actor = Actor.remote()
ray.get(actor.count.remote())
(node,) = ray.nodes()
page = f"http://127.0.0.1:{node['MetricsExportPort']}/metrics"
lines, deadline = [], time.monotonic() + 90
while len(lines) < 4 and time.monotonic() < deadline:
    time.sleep(1)
    with urlopen(page, timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("ray_daftray_")
                 and os.environ["DAFTRAY_RUN_ID"] in line and "_total{" in line]
print(*lines, sep="\\n")
"""


async def test_usage_is_in_rays_own_metrics_by_the_runs_id(ray_runs: RayRuns) -> None:
    job, log = await ray_runs.run({"main.py": METRICS}, file("main.py"))

    assert job.status is JobStatus.SUCCEEDED, log
    lines = [line for line in log.splitlines() if line.startswith("ray_daftray_")]
    shown = {(line.partition("{")[0], float(line.rpartition(" ")[2])) for line in lines}
    assert shown == {
        ("ray_daftray_requests_total", 2.0),
        ("ray_daftray_tokens_total", 30.0),
        ("ray_daftray_tokens_total", 4.0),
        ("ray_daftray_counts_total", 5.0),
    }
    assert all('model="m"' in line for line in lines if "counts" not in line)
    assert ray_runs.control.total("daftray.requests") == 2
