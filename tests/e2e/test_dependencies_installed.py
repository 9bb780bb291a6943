"""Dependencies are installed by the cluster, and what goes wrong there is shown."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from e2e_platform import Platform

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.domain.status import FailureReason, RunStatus
from daftray.server.local_ray import LocalCluster

pytestmark = pytest.mark.ray

TRIED_FOR_S = 300
"""Ray installs again and again before it gives up: a minute and a half where nothing else goes on."""

WHEEL = "daftray_test_dependency-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: daftray-test-dependency\nVersion: 1.0\n"
TAGS = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def wheels(tmp_path: Path) -> Generator[str]:
    """Serve one wheel on loopback."""
    info = "daftray_test_dependency-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as wheel:
        wheel.writestr("daftray_test_dependency.py", "ANSWER = 42\n")
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", TAGS)
        wheel.writestr(f"{info}/RECORD", "")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_dependencies_are_installed_in_a_phase_of_their_own(
    platform: Platform, client: Client, ended: Callable[[Run], Run], wheels: str
) -> None:
    commit = platform.repo.commit(
        {"deps/main.py": "import daftray_test_dependency as d\nprint('answer', d.ANSWER)\n"}
    )
    environment = Environment(dependencies=[f"daftray-test-dependency @ {wheels}/{WHEEL}"])
    run = ended(client.runs.create("deps/main.py", hash=commit, environment=environment))
    assert run.status is RunStatus.SUCCEEDED
    assert b"answer 42" in client.runs.logs(run)
    assert "installing" in run.timings


@pytest.mark.timeout(2 * TRIED_FOR_S)
def test_a_failed_installation_shows_what_the_installer_said(client: Client, wheels: str) -> None:
    environment = Environment(dependencies=[f"nonesuch @ {wheels}/nonesuch-1.0-py3-none-any.whl"])
    run = client.runs.wait(client.runs.create("main.py", environment=environment), timeout_s=TRIED_FOR_S)
    assert (run.status, run.reason) == (RunStatus.FAILED, FailureReason.DEPENDENCIES_FAILED)
    assert "nonesuch" in (run.reason_detail or "")
    assert "404" in (run.reason_detail or "")


def test_a_python_version_that_the_cluster_lacks_is_refused_with_what_there_is(
    client: Client, ended: Callable[[Run], Run], ray_cluster: LocalCluster
) -> None:
    run = ended(client.runs.create("main.py", environment=Environment(python_version="3.9")))
    assert (run.status, run.reason) == (RunStatus.FAILED, FailureReason.PYTHON_UNAVAILABLE)
    assert ".".join(ray_cluster.python_version.split(".")[:2]) in (run.reason_detail or "")
