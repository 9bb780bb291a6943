from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from daftray.domain.errors import ClusterUnreachableError
from daftray.server import local_ray
from daftray.server.local_ray import LocalRay
from daftray.server.port_owner import is_only_ours

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def a_table(folder: Path, *listeners: tuple[str, str, int]) -> tuple[Path]:
    """Write a table of sockets: address and port in hexadecimal digits, state, user."""
    lines = [
        f"  {number}: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid} 0 635 1\n"
        for number, (local, state, uid) in enumerate(listeners)
    ]
    table = folder / "tcp"
    table.write_text(HEAD + "".join(lines))
    return (table,)


def test_a_listener_of_ours_is_ours_until_it_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert is_only_ours(port)
    assert not is_only_ours(port)


def test_a_listener_of_somebody_else_is_not(tmp_path: Path) -> None:
    mine, other = os.getuid(), os.getuid() + 1
    listens, connected = "0A", "01"
    for found, listeners in (
        (True, [("0100007F:4E20", listens, mine)]),
        (True, [("0100007F:4E20", listens, mine), ("0100007F:4E20", connected, other)]),
        (True, [("0100007F:4E20", listens, mine), ("0100007F:4E21", listens, other)]),
        (False, [("0100007F:4E20", listens, other)]),
        (False, [("0100007F:4E20", listens, mine), ("00000000:4E20", listens, other)]),
        (False, [("0100007F:4E20", connected, mine)]),
    ):
        assert is_only_ours(20_000, tables=a_table(tmp_path, *listeners)) is found, listeners


def test_a_system_that_does_not_tell_is_believed(tmp_path: Path) -> None:
    assert is_only_ours(20_000, tables=(tmp_path / "nothing",))


async def test_the_token_is_not_sent_to_somebody_elses_listener(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        ray = LocalRay(data_dir=tmp_path, keep=False)
        ray._token, ray._port = "the-token", server.sockets[0].getsockname()[1]
        with pytest.raises(ClusterUnreachableError):
            await ray._cluster()
        assert b"the-token" in asked[0]  # ours: asked, and no Ray
        asked.clear()
        monkeypatch.setattr(local_ray, "is_only_ours", lambda _: False)
        with pytest.raises(ClusterUnreachableError, match="another user"):
            await ray._cluster()
    assert asked == []
