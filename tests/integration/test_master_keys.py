"""Servers with a wrong master key, and a rotation beside a server that goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from git_repos import make_repo

from daftray.client import Client
from daftray.domain.errors import DaftrayError
from daftray.server.child import ServerNotStartedError, child_server

OLD, NEW = "0123456789abcdef" * 4, "fedcba9876543210" * 4
OPTIONS = ["--ray", "none", "--allow-local-remotes"]
VALUE = "the-value-of-a-secret"


def rotate(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daftray", "admin", "rotate-keys", "--data-dir", str(folder), "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAFTRAY_")}
    return subprocess.run(
        [*command, *options],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rotated(folder: Path, *options: str, **variables: str) -> dict[str, object]:
    done = rotate(folder, *options, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_new_key_is_taken_up_by_the_server_that_goes_on(tmp_path: Path) -> None:
    repo, folder = make_repo(tmp_path / "repo"), tmp_path / "data"
    with child_server(folder, options=OPTIONS) as server, Client(server.url, server.api_key) as client:
        client.projects.create("demo", repo.url)
        demo = client.in_project("demo")
        demo.secrets.set("FIRST", VALUE)
        (old,) = (folder / "master-key").read_text().split()
        assert rotated(folder, "--dry-run")["left"] == {}
        done = rotated(folder, "--new-key")
        assert (done["resealed"], done["left"]) == (1, {})
        new, kept = (folder / "master-key").read_text().split()
        assert kept == old != new
        # The server reads the file again by itself: it seals under the new key, and misses no old one.
        demo.secrets.set("SECOND", VALUE)
        assert rotated(folder)["resealed"] == 0
        (folder / "master-key").write_text(new + "\n")
        demo.secrets.set("THIRD", VALUE)
        assert {one.name for one in demo.secrets.list()} == {"FIRST", "SECOND", "THIRD"}
        log = server.log.read_text()
    with child_server(folder, options=OPTIONS) as server:
        assert httpx.get(server.url + "/readyz", timeout=30).status_code == 200
        assert not any(key in log + server.log.read_text() for key in (old, new, VALUE))


def test_a_server_with_another_key_does_not_start_and_says_which_it_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with child_server(folder, options=OPTIONS, variables={"DAFTRAY_MASTER_KEY": OLD}):
        pass
    with (
        pytest.raises(ServerNotStartedError, match="master-key-mismatch") as refused,
        child_server(folder, options=OPTIONS, variables={"DAFTRAY_MASTER_KEY": NEW}),
    ):
        pass
    assert not any(key in refused.value.detail for key in (OLD, NEW))
    with child_server(folder, options=OPTIONS, variables={"DAFTRAY_MASTER_KEY": f"{NEW},{OLD}"}):
        pass
    lost = rotated(folder, "--dry-run", DAFTRAY_MASTER_KEY=f"{NEW} {OLD}")
    assert lost["left"] == {}


def test_a_key_file_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(OLD)
    keys.chmod(0o644)
    with (
        pytest.raises(DaftrayError, match="master-key-unavailable"),
        child_server(tmp_path / "data", options=OPTIONS, variables={"DAFTRAY_MASTER_KEY_FILE": str(keys)}),
    ):
        pass


def test_a_rotation_where_there_is_no_key_makes_none(tmp_path: Path) -> None:
    done = rotate(tmp_path / "nothing")
    assert done.returncode == 1
    assert "master-key-unavailable" in done.stderr
    assert not (tmp_path / "nothing").exists()
    done = rotate(tmp_path, "--new-key", DAFTRAY_MASTER_KEY=OLD)
    assert done.returncode == 2
    assert OLD not in done.stderr
