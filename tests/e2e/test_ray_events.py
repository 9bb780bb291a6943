"""A Ray that sends its own events: what a run reserves comes of them alone, to the second."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from e2e_platform import RUN_TIMEOUT_S, wait_for
from git_repos import make_repo

from daftray.client import Client
from daftray.domain.status import RunStatus
from daftray.server import ray_head
from daftray.server.child import child_server
from daftray.server.local_ray import LocalRay
from daftray.server.ray_command import free_port

pytestmark = pytest.mark.ray

SECRET = "sixteen-and-more-characters"
PROGRAM = """\
import time

import ray


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


def reserving():
    ray.init(log_to_driver=False)
    began, outside, inside = time.time(), 0, 0
    held = Held.remote()
    ray.get(held.so_far.remote())
    for _ in range(4):
        asked = time.time()
        inside += ray.get(work.remote())
        outside += time.time() - asked
    lived = ray.get(held.so_far.remote())
    ray.kill(held)
    time.sleep(3)  # the actor's end is an event, too, and events take a second
    return {"least": 0.5 * inside + lived, "most": 0.5 * outside + time.time() - began}
"""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Client]:
    """A server on a fixed port, and a Ray that exports to it and answers no question about tasks."""
    port = free_port(str(tmp_path))
    exports = {
        "RAY_enable_ray_event": "1",
        "RAY_enable_core_worker_ray_event_to_aggregator": "1",
        "RAY_DASHBOARD_AGGREGATOR_AGENT_EVENTS_EXPORT_ADDR": f"http://127.0.0.1:{port}/v1/ingest/ray/{SECRET}/events",
        "RAY_MAX_LIMIT_FROM_API_SERVER": "1",
    }
    own = ray_head.environment
    monkeypatch.setattr(ray_head, "environment", lambda *given: {**own(*given), **exports})
    ray, repo = LocalRay(data_dir=tmp_path / "ray", keep=False, num_cpus=4), make_repo(tmp_path / "repo")
    try:
        cluster = asyncio.run(ray.start())
        options = ["--allow-local-remotes", "--ray", cluster.url, "--port", str(port)]
        variables = {"DAFTRAY_RAY_TOKEN": cluster.token, "DAFTRAY_RAY_EVENTS_SECRET": SECRET}
        with (
            child_server(tmp_path / "data", options=options, variables=variables) as server,
            Client(server.url, server.api_key) as everything,
        ):
            repo.commit({"main.py": PROGRAM})
            everything.projects.create("events", repo.url)
            yield everything.in_project("events")
    finally:
        asyncio.run(ray.stop())


def test_what_a_run_reserves_comes_of_rays_events(served: Client) -> None:
    run = served.runs.create("main.py:reserving")
    run = served.runs.wait(run, timeout_s=RUN_TIMEOUT_S)
    assert run.status is RunStatus.SUCCEEDED, served.runs.logs(run).decode()
    told: Any = served.runs.result(run)
    wait_for(served, run, lambda now: served.runs.metrics(now).cpu_seconds.reserved is not None)
    found = served.runs.metrics(run).cpu_seconds
    assert not found.partial
    assert found.reserved is not None
    assert told["least"] <= found.reserved <= told["most"]
