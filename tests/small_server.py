"""A real HTTP server on loopback that answers what a test tells it, and remembers what it was asked.

It can do what real servers and networks do to a stream: end it early, or break it in the middle of a line.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec


@dataclass(frozen=True)
class Asked:
    """A request, as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # any JSON
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What is answered.

    ``broken`` ends a streamed body without its proper end, as a lost network does; ``held`` keeps it open
    until that is set.
    """

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    streamed: bool = False
    broken: bool = False
    held: threading.Event | None = None


Route = Callable[[Asked], Answer]


def as_json(value: object, status: int = 200) -> Answer:
    return Answer(msgspec.json.encode(value), status=status)


def as_problem(code: str, status: int, detail: str = "", **more: object) -> Answer:
    body = {"type": code, "title": "T", "status": status, "detail": detail, **more}
    return Answer(json.dumps(body).encode(), status=status, kind="application/problem+json")


def as_events(text: str, *, broken: bool = False) -> Answer:
    return Answer(text.encode(), kind="text/event-stream", streamed=True, broken=broken)


class SmallServer:
    """Answers by ``METHOD path``; a route is an answer, or a function that makes one."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def on(self, route: str, answer: Answer | Route) -> None:
        self.routes[route] = answer if callable(answer) else lambda _: answer

    def find(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        exact = self.routes.get(f"{asked.method} {asked.path}")
        if exact is None:
            return as_problem("not-found", 404, f"no route for {asked.method} {asked.path}")
        return exact(asked)

    def requests(self, route: str) -> list[Asked]:
        return [asked for asked in self.asked if f"{asked.method} {asked.path}" == route]


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave: tests make them do so."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType] (any socket)


@contextmanager
def small_server() -> Generator[SmallServer]:
    """Serve until the test is over."""
    small = SmallServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            self.send(small.find(asked))

        def send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.streamed:
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")  # else a client may ask again just as it is closed
            self.end_headers()
            if answer.body:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(answer.body), answer.body))
            if answer.held:
                answer.held.wait(timeout=60)
            if not answer.broken:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 (the base class's own names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            pass

    server = _QuietServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    small.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield small
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
