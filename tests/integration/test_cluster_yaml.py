"""`cluster.yaml` is what Ray's cluster launcher takes, and its head's commands start what they promise."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from daftray.server.ray_command import MARKER, free_port
from daftray.server.ray_process import end, processes_of

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]  # whatever YAML holds


@pytest.fixture
def config() -> Config:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


@pytest.fixture
def home() -> Generator[Path]:
    """The head node's home folder, as the setup leaves it. What is started there ends with the test."""
    # A test's usual folder has too long a path for Ray's sockets.
    with tempfile.TemporaryDirectory(prefix="dy", ignore_cleanup_errors=True) as name:
        home = Path(name)
        (home / "daftray").mkdir()
        (home / "daftray" / "venv").symlink_to(sys.prefix)
        (home / "daftray" / "ray-token").write_text("t" * 64)
        try:
            yield home
        finally:
            assert end(home) == []


def test_ray_takes_the_file(config: Config) -> None:
    # Importing Ray takes seconds and warns at will, and no other test wants it in this process.
    check = (
        "import json, sys; from ray.autoscaler._private.util import prepare_config, validate_config;"
        "validate_config(prepare_config(json.load(sys.stdin)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", check], input=json.dumps(config), text=True, capture_output=True, check=False
    )
    assert told.returncode == 0, told.stderr
    config["max_workers"] = "many"
    told = subprocess.run(
        [sys.executable, "-c", check], input=json.dumps(config), text=True, capture_output=True, check=False
    )
    assert "'many' is not of type" in told.stderr


def test_the_versions_are_those_that_daftray_is_tested_with(config: Config) -> None:
    installed = " ".join(config["setup_commands"])
    for package in ("ray", "daft"):
        pinned = re.search(rf"'{package}(?:\[default\])?==([\d.]+)'", installed)
        assert pinned is not None
        assert f"{package}=={pinned[1]}\n" in (ROOT / "constraints.txt").read_text()


def test_every_start_command_has_the_token_before_it(config: Config) -> None:
    for command in [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]:
        if re.search(r"\bray (start|stop)\b|daftray serve --", command):
            assert command.startswith(". ~/daftray/env.sh;")
    assert "--dashboard-host=127.0.0.1" in " ".join(config["head_start_ray_commands"])


@pytest.mark.ray
async def test_the_head_runs_ray_with_a_token_and_the_server_on_it(config: Config, home: Path) -> None:
    ports = {name: free_port(f"{home} {name}") for name in ("gcs", "dashboard", "client", "server")}
    (home / "ray_bootstrap_config.yaml").write_text(json.dumps(bootstrap()))
    for command in [*config["setup_commands"], *config["head_start_ray_commands"]]:
        if any(word in command for word in ("apt-get", "-m venv", "pip install", "ray stop")):
            continue
        await run(on_loopback(command, ports, home), home)
    assert stat.S_IMODE((home / "daftray" / "ray-token").stat().st_mode) == 0o600
    server, dashboard = (f"http://127.0.0.1:{ports[name]}" for name in ("server", "dashboard"))
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        assert (await answer(http, f"{server}/readyz", home)).status_code == 200
        assert (await http.get(f"{dashboard}/api/version")).status_code == 401
    running = processes_of(home)
    assert listening(running, ports["server"]) == ["127.0.0.1"]
    token = (home / "daftray" / "ray-token").read_text()
    assert not [one for one in running if token in " ".join(one.cmdline())]

    # `ray up` again: the older server gives way to the newer one.
    older = (home / "daftray" / "serve.pid").read_text()
    for command in config["head_start_ray_commands"][-2:]:
        await run(on_loopback(command, ports, home), home)
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        assert (await answer(http, f"{server}/readyz", home)).status_code == 200
    assert (home / "daftray" / "serve.pid").read_text() != older


def bootstrap() -> Config:
    """What Ray puts on the head for its autoscaler, here with nothing to scale."""
    return {
        "cluster_name": "test",
        "max_workers": 0,
        "provider": {"type": "local", "head_ip": "127.0.0.1", "worker_ips": []},
        "auth": {"ssh_user": "nobody"},
    }


def on_loopback(command: str, ports: dict[str, int], home: Path) -> str:
    """Let a command listen on loopback only, and at ports that nobody else has."""
    command = command.replace("--host 0.0.0.0", "--host 127.0.0.1").replace("hostname -I", "echo 127.0.0.1")
    command = command.replace("8484", str(ports["server"])).replace("8265", str(ports["dashboard"]))
    own = (
        f"--port={ports['gcs']} --node-ip-address=127.0.0.1 --dashboard-port={ports['dashboard']} "
        f"--ray-client-server-port={ports['client']} --dashboard-agent-listen-port=0 --min-worker-port=0 "
        f"--max-worker-port=0 --num-cpus=0 --object-store-memory=100000000 --temp-dir={home}/r"
    )
    return command.replace("--port=6379", own)


async def run(command: str, home: Path) -> None:
    own = {
        "HOME": str(home),
        MARKER: str(home),
        "PATH": os.environ["PATH"],
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "AUTOSCALER_METRIC_PORT": "-1",
        "DASHBOARD_METRIC_PORT": "-1",
    }
    output = home / "output"
    with output.open("ab") as file:
        # Not piped: what stays in the background would keep a pipe open.
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", command),
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        code = await asyncio.wait_for(process.wait(), 120)
    assert code == 0, f"{command}\n{output.read_text()[-3000:]}"


async def answer(http: httpx.AsyncClient, url: str, home: Path) -> httpx.Response:
    for _ in range(300):
        try:
            found = await http.get(url)
            if found.is_success:
                return found
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.1)
    pytest.fail((home / "daftray" / "serve.log").read_text()[-3000:])


def listening(processes: set[psutil.Process], port: int) -> list[str]:
    return [
        one.laddr[0]
        for process in processes
        for one in process.net_connections("inet")
        if one.status == psutil.CONN_LISTEN and one.laddr[1] == port
    ]
