"""The server as its operator meets it: the first start, the end with open streams, a second server."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from e2e_platform import wait_for
from git_repos import make_repo

from daftray.client import Client
from daftray.client.errors import ServerUnreachableError
from daftray.domain.errors import UnauthenticatedError
from daftray.domain.status import RunPhase
from daftray.server.child import child_server

END_TIMEOUT_S = 30


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_needs_nobody(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with child_server(data, options=["--ray", "none"]) as server:
        assert (mode(data), mode(data / "admin-key"), mode(data / "master-key")) == (0o700, 0o600, 0o600)
        assert httpx.get(f"{server.url}/healthz", timeout=10).json()["status"] == "ok"
        ready = httpx.get(f"{server.url}/readyz", timeout=10)
        assert (ready.status_code, ready.json()["cluster"]) == (200, False)
        with Client(server.url, server.api_key) as client:
            assert client.projects.list() == []
        with Client(server.url, "drk.key_0.wrong") as stranger, pytest.raises(UnauthenticatedError):
            stranger.projects.list()


def test_clients_on_the_machine_find_the_server_by_its_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTRAY_DATA_DIR", str(tmp_path / "data"))
    with child_server(tmp_path / "data", options=["--ray", "none"]), Client() as client:
        assert client.projects.list() == []
    with pytest.raises(ServerUnreachableError), Client() as client:
        client.projects.list()


def test_a_restart_knows_its_runs_and_its_key(tmp_path: Path) -> None:
    options = ["--ray", "none", "--allow-local-remotes"]
    with (
        child_server(tmp_path / "data", options=options) as server,
        Client(server.url, server.api_key) as client,
    ):
        client.projects.create("kept", str(tmp_path / "no-repo-yet"))
        run = client.in_project("kept").runs.create("main.py")
        key = server.api_key
    with child_server(tmp_path / "data", options=options) as server, Client(server.url, key) as client:
        assert client.in_project("kept").runs.get(run.id).created_at == run.created_at


def test_a_second_server_of_the_same_folder_is_told_so(tmp_path: Path) -> None:
    with child_server(tmp_path / "data", options=["--ray", "none"]):
        command = [sys.executable, "-m", "daftray", "serve", "--ray", "none", "--port", "0"]
        done = subprocess.run(
            [*command, "--data-dir", str(tmp_path / "data")], capture_output=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert b"error[data-dir-busy]" in done.stderr


@pytest.mark.parametrize("bad", [["--port", "99999"], ["--ray", "somewhere"], ["--log-level", "loud"]])
def test_a_bad_option_is_named(tmp_path: Path, bad: list[str]) -> None:
    command = [sys.executable, "-m", "daftray", "serve", "--data-dir", str(tmp_path), *bad]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert bad[0] in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.ray
def test_sigterm_ends_the_server_and_its_ray_with_streams_open(tmp_path: Path) -> None:
    options = ["--allow-local-remotes"]
    with (
        child_server(tmp_path / "data", options=options) as server,
        Client(server.url, server.api_key) as client,
    ):
        repo = make_repo(tmp_path / "repo", {"main.py": "import time\ntime.sleep(300)\n"})
        project = client.in_project(client.projects.create("p", repo.url).name)
        run = project.runs.create("main.py")
        wait_for(project, run, lambda now: now.phase is RunPhase.RUNNING)
        address = f"{server.url}/v1/workspaces/default/projects/p/runs/{run.id}/logs/tail"
        headers = {"Authorization": f"Bearer {server.api_key}"}
        process = psutil.Process(server.pid)
        ours = [process, *process.children(recursive=True)]
        with httpx.stream("GET", address, headers=headers, timeout=END_TIMEOUT_S) as stream:
            assert stream.status_code == 200
            os.kill(server.pid, signal.SIGTERM)
            assert b"event: end" not in b"".join(stream.iter_bytes())
        _, left = psutil.wait_procs(ours, timeout=END_TIMEOUT_S)
    assert left == []
