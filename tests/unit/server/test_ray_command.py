from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from daftray.domain.errors import ClusterUnreachableError
from daftray.server.ray_command import MARKER, HeadLayout, command, environment, free_port, port_is_free
from daftray.server.ray_head import RayHead


@pytest.fixture
def layout(tmp_path: Path) -> HeadLayout:
    return HeadLayout(root=tmp_path, token_path=tmp_path / "token", log_path=tmp_path / "head.log")


def test_jobs_inherit_what_they_need_and_nothing_else(layout: HeadLayout) -> None:
    needed = {
        "HOME": "/home/somebody",
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy.example:3128",
        "NO_PROXY": "example",
        "SSL_CERT_FILE": "/etc/ssl/cert.pem",
        "PIP_INDEX_URL": "https://packages.example/simple",
        "UV_DEFAULT_INDEX": "https://packages.example/simple",
        "CUDA_VISIBLE_DEVICES": "0",
    }
    secret = dict.fromkeys(
        [
            "DAFTRAY_MASTER_KEY",
            "DAFTRAY_API_KEY",
            "OPENAI_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "UV_PUBLISH_TOKEN",
        ],
        "secret",
    )
    other = {"RAY_ADDRESS": "ray://elsewhere:10001", "PYTHONPATH": "/somewhere", "RAY_TMPDIR": "/elsewhere"}
    given = environment(layout, {**needed, **secret, **other, "PATH": "/usr/bin"})
    assert needed.items() <= given.items()
    assert "secret" not in given.values()
    assert not other.keys() & given.keys()
    assert given[MARKER] == str(layout.root)
    assert (given["RAY_AUTH_MODE"], given["RAY_AUTH_TOKEN_PATH"]) == ("token", str(layout.token_path))


def test_python_is_the_interpreter_that_runs_the_server(
    layout: HeadLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = environment(layout, {"PATH": "/usr/bin"})["PATH"].split(":")
    assert path == [str(Path(sys.executable).parent), "/usr/bin"]
    monkeypatch.setattr(sys, "executable", "/a folder/python3.11")
    path = environment(layout, {"PATH": "/usr/bin"})["PATH"].split(":")
    assert (Path(path[0]) / "python").read_text() == "#!/bin/sh\nexec '/a folder/python3.11' \"$@\"\n"


def test_everything_is_told_to_listen_on_loopback_at_ports_of_its_own(layout: HeadLayout) -> None:
    arguments = command(layout, dashboard_port=20001, client_port=20002, num_cpus=3)
    assert {
        "--node-ip-address=127.0.0.1",
        "--dashboard-host=127.0.0.1",
        "--dashboard-port=20001",
        "--ray-client-server-port=20002",
        "--num-cpus=3",
        f"--temp-dir={layout.root}/r",
    } <= set(arguments)
    assert not [
        one for one in command(layout, dashboard_port=1, client_port=2, num_cpus=None) if "cpus" in one
    ]


def test_a_port_is_the_same_for_the_same_folder_unless_it_is_taken() -> None:
    port = free_port("a folder")
    assert free_port("a folder") == port
    with socket.create_server(("127.0.0.1", port)):
        assert not port_is_free(port)
        assert free_port("a folder") != port


def test_folders_are_private_and_short_enough_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 60)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    heads = [RayHead(tmp_path / name) for name in ("one", "two", "one")]
    roots = [head._layout.root for head in heads]
    assert roots[0] == roots[2] != roots[1]
    assert max(len(str(root)) for root in roots) <= 34
    (tmp_path / "two" / "ray").mkdir(mode=0o755, parents=True)
    try:
        token = heads[0].prepare()
        assert heads[2].prepare() == token
        assert heads[1].prepare() != token
        assert {root.stat().st_mode & 0o777 for root in roots} == {0o700}
        assert (tmp_path / "two" / "ray").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "one" / "ray" / "token").stat().st_mode & 0o777 == 0o600
    finally:
        for head in heads:
            head.remove_files()


def test_a_folder_that_is_a_link_is_not_used_whenever_it_became_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("daftray.server.ray_head._LONGEST_ROOT", 1000)
    # Whoever swaps a folder for a link between two looks has the first one see a folder.
    monkeypatch.setattr(Path, "is_symlink", lambda _: False)
    head = RayHead(tmp_path / "data")
    target = tmp_path / "mine"
    target.mkdir(mode=0o755)
    head._layout.root.symlink_to(target)
    with pytest.raises(ClusterUnreachableError, match="belongs to somebody else"):
        head.prepare()
    assert target.stat().st_mode & 0o777 == 0o755
