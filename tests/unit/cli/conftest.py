from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import Shell, Tree
from small_api import SmallApi
from small_server import SmallServer, small_server


@pytest.fixture(scope="session")
def _server() -> Iterator[SmallServer]:
    with small_server() as server:
        yield server


@pytest.fixture
def server(_server: SmallServer) -> SmallServer:
    _server.routes.clear()
    _server.asked.clear()
    return _server


@pytest.fixture
def api(server: SmallServer) -> SmallApi:
    return SmallApi(server)


@pytest.fixture
def environ(server: SmallServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Make the process know of the small server and of nothing of the developer's own."""
    for name in list(os.environ):
        if name.startswith("DAFTRAY_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    ours = {
        "DAFTRAY_URL": server.url,
        "DAFTRAY_API_KEY": "key",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "COLUMNS": "100",
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return ours


@pytest.fixture
def shell(environ: dict[str, str]) -> Shell:
    assert environ
    return Shell()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    root = tmp_path / "repo"
    for name in ("main.py", "pipelines/score.py", "pipelines/daily/job.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    found = Tree(root)
    for user in ("daftray.cli.run", "daftray.cli.session"):
        monkeypatch.setattr(f"{user}.open_checkout", lambda _: found)
    monkeypatch.chdir(root)
    return found
