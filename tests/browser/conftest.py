"""The tests in a browser share a server with a real Ray cluster, and the example project."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from chromium import Visitor, chromium, visit
from e2e_platform import RUN_TIMEOUT_S, Platform, platform_on
from openai_server import OpenAiServer, openai_server
from playwright.sync_api import Browser, StorageState

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.server.local_ray import LocalCluster

EXAMPLES = Path(__file__).parents[2] / "examples" / "reviews"


@pytest.fixture(scope="session")
def platform(ray_cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    root = tmp_path_factory.mktemp("browser")
    with platform_on(root, ray_url=ray_cluster.url, ray_token=ray_cluster.token) as served:
        files = {file.name: file.read_bytes() for file in EXAMPLES.iterdir() if file.is_file()}
        served.repo.commit(files, "Label reviews")
        yield served


@pytest.fixture
def client(platform: Platform) -> Client:
    return platform.client


@pytest.fixture(scope="session")
def model() -> Generator[OpenAiServer]:
    """A model that answers as OpenAI's servers do, and counts."""
    with openai_server() as server:
        yield server


@pytest.fixture(scope="session")
def ended(platform: Platform, model: OpenAiServer) -> dict[str, Run]:
    """Runs that have ended, one of each sort of interest: what pages of runs have to show."""
    client, commit = platform.client, platform.repo.head
    asked = {"limit": "4", "model": "tiny"}
    address = Environment(environment_variables={"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "none"})
    made = {
        "table": client.runs.create(
            "pipeline.py:label_reviews", kwargs=asked, hash=commit, environment=address
        ),
        "failed": client.runs.create("flaky.py:total_weight", hash=commit, labels={"team": "data"}),
        "hello": client.runs.create("hello.py", args=["Ada"], hash=commit, name="greeting"),
    }
    return {name: client.runs.wait(run, timeout_s=RUN_TIMEOUT_S) for name, run in made.items()}


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A Chromium for the tests of a file: Playwright's loop must not be there when others have theirs."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def signed_in(browser: Browser, platform: Platform) -> StorageState:
    """The cookies of somebody who signed in with the operator's key: how often one may do so is limited."""
    with visit(browser, platform.server.url) as came:
        came.sign_in(platform.server.api_key)
        return came.page.context.storage_state()


@pytest.fixture
def visitor(browser: Browser, platform: Platform, signed_in: StorageState) -> Generator[Visitor]:
    """Somebody with a wide window, signed in."""
    with visit(browser, platform.server.url, state=signed_in) as came:
        yield came
