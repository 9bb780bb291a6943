"""The embedded Ray's whole life, on real heads of its own: adopted, watched over, and ended for good."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import ClusterUnreachableError
from daftray.server.local_ray import LocalCluster, LocalRay
from daftray.server.ray_process import HeadRecord, processes_of

pytestmark = pytest.mark.ray

SECRET = "only-the-server-may-know-this-key"

SERVER = """
import asyncio, json, sys
from pathlib import Path
from daftray.server.local_ray import LocalRay

async def serve():
    cluster = await LocalRay(data_dir=Path(sys.argv[1]), keep=False, num_cpus=1).start()
    print(json.dumps({"url": cluster.url, "session": cluster.session}), flush=True)
    await asyncio.sleep(600)

asyncio.run(serve())
"""

HARD_TO_END = """
echo $DAFTRAY_MASTER_KEY
python -c 'import sys; print(sys.executable)'
trap '' TERM
setsid sh -c 'trap "" TERM; sleep 600; sleep 600' &
sleep 600
"""


async def test_a_head_outlives_its_server_is_watched_over_and_leaves_nothing(tmp_path: Path) -> None:
    first = start_and_kill_a_server(tmp_path)
    ray = LocalRay(data_dir=tmp_path, keep=False, num_cpus=1)
    try:
        cluster = await ray.start()
        assert (cluster.url, cluster.session) == (first["url"], first["session"])
        record = recorded(tmp_path)
        root = Path(record.root)
        await refuses_whoever_has_no_token(cluster)
        assert private(root, stat.S_IFDIR)
        assert private(tmp_path / "ray", stat.S_IFDIR)
        assert private(tmp_path / "ray" / "token", stat.S_IFREG)
        async with RayJobsClient(cluster.url, token=cluster.token) as jobs:
            log = await start_a_job_that_is_hard_to_end(jobs)
            assert SECRET not in log
            assert sys.executable in log.splitlines()
            running = processes_of(root, [record.head])
            assert len(running) > 10
            assert listeners(running)
            assert {address for _, address in listeners(running)} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
            assert not [one for one in running if SECRET in str(environment(one))]
            assert not [one for one in running if cluster.token in " ".join(command(one))]

        watching = asyncio.create_task(ray.watch())
        next(one for one in running if one.name() == "gcs_server").kill()
        again = await another_session(cluster)
        assert again["session_name"] != cluster.session
        watching.cancel()
        assert await asyncio.gather(watching, return_exceptions=True) != [None]
    finally:
        await ray.stop()
    assert not [one for one in running if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert not processes_of(root)
    assert left_on_disk(root, tmp_path / "ray" / "head.json") == []


async def test_a_head_that_does_not_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    ray = LocalRay(data_dir=tmp_path, keep=False)
    layout = ray._head._layout
    layout.root.mkdir()
    layout.temp_dir.write_text("where Ray wants a folder")
    try:
        with pytest.raises(ClusterUnreachableError, match=r"(?s)FileExistsError.*head\.log.*--ray"):
            await ray.start()
        assert not processes_of(layout.root)
        assert HeadRecord.load(tmp_path / "ray" / "head.json") is None
    finally:
        await ray.stop()


async def test_a_start_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    ray = LocalRay(data_dir=tmp_path, keep=False)
    root = ray._head._layout.root
    start = asyncio.create_task(ray.start())
    try:
        for _ in range(300):
            if len(processes_of(root)) > 1:
                break
            await asyncio.sleep(0.05)
        assert processes_of(root)
        start.cancel()
        assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], asyncio.CancelledError)
        assert not processes_of(root)
    finally:
        await ray.stop()


def start_and_kill_a_server(data_dir: Path) -> dict[str, str]:
    """Let a server start a head, and let it be killed before it can end it."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data_dir)],
        env={**os.environ, "DAFTRAY_MASTER_KEY": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdout is not None
        told = server.stdout.readline()
        server.kill()
    return json.loads(told)


def recorded(data_dir: Path) -> HeadRecord:
    record = HeadRecord.load(data_dir / "ray" / "head.json")
    assert record is not None
    return record


async def refuses_whoever_has_no_token(cluster: LocalCluster) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{cluster.url}/api/jobs/")).status_code == 401


async def start_a_job_that_is_hard_to_end(jobs: RayJobsClient) -> str:
    """Return what it wrote, once it runs on in a session of its own and without heed of SIGTERM."""
    await jobs.submit(JobSubmission(submission_id="hard", entrypoint=HARD_TO_END, runtime_env={}))
    job = await until(jobs, lambda job: job.status is JobStatus.RUNNING)
    for _ in range(100):
        log = (await jobs.read_log(job, offset=0, limit=10_000)).decode()
        if sys.executable in log:
            return log
        await asyncio.sleep(0.1)
    pytest.fail("the job wrote nothing")


async def until(jobs: RayJobsClient, done: Callable[[Job], bool]) -> Job:
    for _ in range(300):
        job = await jobs.get("hard")
        if done(job):
            return job
        await asyncio.sleep(0.1)
    pytest.fail("the job did not start")


async def another_session(cluster: LocalCluster) -> dict[str, str]:
    """Wait until the address answers with a head that is not the one of before."""
    headers = {"Authorization": f"Bearer {cluster.token}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=5) as http:
        for _ in range(300):
            try:
                told: dict[str, str] = (await http.get(f"{cluster.url}/api/version")).json()
                if told["session_name"] != cluster.session:
                    return told
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    pytest.fail("the head was not started anew")


def left_on_disk(*paths: Path) -> list[Path]:
    return [path for path in paths if path.exists()]


def private(path: Path, kind: int) -> bool:
    mode = path.stat().st_mode
    return stat.S_IFMT(mode) == kind and not mode & 0o077


def listeners(processes: set[psutil.Process]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for process in processes:
        try:
            open_ones = [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
            found += [(process.name(), one.laddr[0]) for one in open_ones]
        except psutil.NoSuchProcess:
            continue
    return found


def environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.NoSuchProcess:
        return {}


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
