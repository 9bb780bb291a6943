"""The end-to-end tests share one server, cluster and project; each has runs and files of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest
from e2e_platform import RUN_TIMEOUT_S, Platform, platform_on

from daftray.client import Client
from daftray.domain.run import Run
from daftray.server.local_ray import LocalCluster


@pytest.fixture(scope="session")
def platform(ray_cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    root = tmp_path_factory.mktemp("platform")
    with platform_on(root, ray_url=ray_cluster.url, ray_token=ray_cluster.token) as served:
        yield served


@pytest.fixture
def client(platform: Platform) -> Client:
    return platform.client


@pytest.fixture
def ended(client: Client) -> Callable[[Run], Run]:
    """Wait for a run's end. What is printed shows where a test fails."""

    def wait(run: Run) -> Run:
        last = client.runs.wait(run, timeout_s=RUN_TIMEOUT_S)
        print(f"{last.id}: {last.status} {last.reason} {last.reason_detail}")
        if last.attempts:
            print(client.runs.logs(last).decode(errors="replace")[-5000:])
        return last

    return wait
