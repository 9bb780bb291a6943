"""What stand-ins for providers of models share: real HTTP on loopback, and a count of what was served."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "a short answer of six words"
TOKENS_OUT = len(ANSWER.split())


@dataclass
class ModelServer:
    """What the endpoint served. ``failures`` are statuses to answer with, one each (200 lets one pass).

    ``tokens_in`` and ``tokens_out`` are what its answers told of.
    """

    url: str = ""
    requests: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    paths: list[str] = field(default_factory=list[str])
    failures: list[int] = field(default_factory=list[int])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self, tokens_in: int, tokens_out: int) -> None:
        """Note that an answer told of tokens."""
        with self.lock:
            self.tokens_in += tokens_in
            self.tokens_out += tokens_out

    def next_failure(self, path: str) -> int | None:
        """Note a request; return the status that it is to fail with, if any."""
        with self.lock:
            self.requests += 1
            self.paths.append(path)
            status = self.failures.pop(0) if self.failures else 200
            if status == 200:
                return None
            self.failed += 1
            return status


class ModelHandler(BaseHTTPRequestHandler):
    """Answers in JSON and in events. A subclass says what to a ``post``, and to a ``get``."""

    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """Serve a connection; clients may leave theirs open when they end."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def get(self) -> None:
        self.answer(404, {})

    def post(self) -> None:
        raise NotImplementedError

    def body(self) -> Any:
        """Return what came in."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, answer: object) -> None:
        """Answer in JSON."""
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status >= 400:
            self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events: Iterator[dict[str, Any]], *, named: bool = False, end: str = "") -> None:
        """Answer in events, each named by its type where asked to, with what ends a stream after them."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            name = f"event: {event['type']}\n" if named else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(end.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the usual 5 reset connections of concurrent calls, which clients then repeat


@contextmanager
def serving(state: ModelServer, handler: type[ModelHandler]) -> Generator[None]:
    """Serve on loopback."""
    server = _Server(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def words(content: Any) -> int:
    """Return how many words a text has, or a list of parts with texts."""
    if isinstance(content, str):
        return len(content.split())
    return sum(words(part.get("text", "")) for part in content)
