"""A control plane that only listens: a real HTTP server with the endpoints that runs report to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "run-token"


@dataclass
class Request:
    method: str
    path: str
    body: bytes
    authorization: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ControlStub:
    """What came in, and what to answer. ``failures`` holds statuses by path, used up one by one."""

    url: str = ""
    entrypoint: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    retry_after_s: int = 0
    """What processes are asked to gather for."""
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ending(self, suffix: str) -> list[Request]:
        """Return the requests to a path that ends like that (its query aside), in order."""
        with self.lock:
            return [each for each in self.requests if each.path.partition("?")[0].endswith(suffix)]

    def one(self, suffix: str) -> Any:
        """Return the JSON of the only request to that path."""
        (request,) = self.ending(suffix)
        return request.json

    @property
    def finished(self) -> Any:
        return self.one("/finished")

    @property
    def result(self) -> Any:
        return self.one("/result")

    def counters(self) -> dict[tuple[str, str, tuple[tuple[str, str], ...]], float]:
        """Return the greatest value reported, by process, metric and attributes."""
        found: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
        for request in self.ending("/v1/metrics"):
            for resource in request.json["resourceMetrics"]:
                process = _attributes(resource["resource"])["daftray.process"]
                for metric in (each for scope in resource["scopeMetrics"] for each in scope["metrics"]):
                    for point in metric["sum"]["dataPoints"]:
                        key = (process, metric["name"], tuple(sorted(_attributes(point).items())))
                        value = float(point.get("asDouble", point.get("asInt")))
                        found[key] = max(found.get(key, 0.0), value)
        return found

    def problems(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the attributes of each problem reported, of its greatest count, by process and key."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for request in self.ending("/v1/logs"):
            for resource in request.json["resourceLogs"]:
                process = _attributes(resource["resource"])["daftray.process"]
                for record in (each for scope in resource["scopeLogs"] for each in scope["logRecords"]):
                    told: dict[str, Any] = {**_attributes(record), "at_ns": int(record["timeUnixNano"])}
                    told["count"] = int(told.pop("daftray.problem.count"))
                    for name in ("info", "samples"):
                        told[name] = json.loads(told.pop(f"daftray.problem.{name}"))
                    key = (process, told["daftray.problem.key"])
                    if key not in found or found[key]["count"] < told["count"]:
                        found[key] = told
        return found

    def total(self, metric: str, attributes: Mapping[str, str] | None = None) -> float:
        """Return a metric's sum over processes, of the points that have these attributes."""
        wanted = (attributes or {}).items()
        return sum(
            value
            for (_, name, pairs), value in self.counters().items()
            if name == metric and wanted <= dict(pairs).items()
        )

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait for something to have come in."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"it did not come: {[each.path for each in self.requests]}"
            time.sleep(0.02)


def _attributes(holder: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: next(iter(each["value"].values())) for each in holder["attributes"]}


@contextmanager
def control_stub() -> Generator[ControlStub]:
    """Serve a control plane on loopback."""
    stub = ControlStub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._record()

        def do_GET(self) -> None:
            self._record()

        def do_PUT(self) -> None:
            self._record()

        def _record(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, self.rfile.read(length), self.headers["Authorization"])
            path = self.path.partition("?")[0]
            with stub.lock:
                failing = stub.failures.get(path.rpartition("/")[2])
                status = failing.pop(0) if failing else 200
                if status == 200:
                    stub.requests.append(request)
            answer = self._answer(path) if status == 200 else {"title": "No", "detail": f"status {status}"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if stub.retry_after_s:
                self.send_header("Retry-After", str(stub.retry_after_s))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self, path: str) -> object:
            if path.endswith("/started"):
                return {"entrypoint": stub.entrypoint, "secrets": stub.secrets}
            return stub.secrets if path.endswith("/secrets") else {}

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
