"""The server's own socket."""

from __future__ import annotations

import socket

from daftray.server import serve


def test_an_answer_is_sent_at_once_and_not_held_back_by_the_kernel() -> None:
    with serve._listening("127.0.0.1", 0) as listener:
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()) as _, listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
