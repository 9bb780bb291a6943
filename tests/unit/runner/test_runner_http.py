"""The plain HTTP of the runner, against a real server and against answers that are none."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from control_stub import ControlStub

from daftray.runner.http import Answer, Server


@contextmanager
def answering(answer: bytes) -> Generator[tuple[int, list[bytes]]]:
    """Answer one connection with these bytes, whatever it asks; give the port and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked
        thread.join()


def exchange(port: int, body: bytes | io.BytesIO | None = None, **headers: str) -> Answer:
    return Server("127.0.0.1", port, secure=False).exchange("POST", "/path?x=1", headers, body, 5)


def test_a_request_is_whole_and_its_answer_read() -> None:
    with answering(b"HTTP/1.1 201 Created\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nok") as (port, asked):
        answer = exchange(port, b"body", Accept="text/plain")
    assert (answer.status, answer.body, answer.retry_after) == (201, b"ok", "3")
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /path?x=1 HTTP/1.0"
    assert f"Host: 127.0.0.1:{port}".encode() in head
    assert b"Content-Length: 4" in head
    assert body == b"body"


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    with answering(b"HTTP/1.0 200 OK\r\n\r\nall of it") as (port, _):
        assert exchange(port).body == b"all of it"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes) -> None:
    with answering(answer) as (port, _), pytest.raises(OSError, match="cut off"):
        exchange(port)


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        exchange(port)


def test_a_file_is_sent_whole(control: ControlStub) -> None:
    data = b"x" * 300_000
    port = int(control.url.rpartition(":")[2])
    headers = {"Content-Length": str(len(data)), "Authorization": "Bearer none"}
    Server("127.0.0.1", port, secure=False).exchange("PUT", "/data", headers, io.BytesIO(data), 5)
    assert control.requests[-1].body == data
