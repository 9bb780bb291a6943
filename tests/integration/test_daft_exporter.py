"""Daft's own OTLP exporter, as the runner sets it up, against the reader of the server."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.metrics import summarise
from daftray.metrics import otlp
from daftray.runner import otel
from daftray.runner.settings import RunSettings

PROGRAM = """
import daft
from daft.udf.metrics import increment_counter

@daft.func
def double(n: int) -> int:
    increment_counter("my rows")
    return 2 * n

daft.set_runner_native()
rows = daft.from_pydict({"n": list(range(40))}).with_column("m", double(daft.col("n"))).collect()
assert len(rows) == 40
"""


class Collector(ThreadingHTTPServer):
    """What came in: the path, the headers in lower case, the body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that it has)
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


async def test_daft_sends_to_the_control_plane_and_is_kept_apart(collector: Collector) -> None:
    settings = RunSettings(run_id="run_1", attempt=1, report_url=collector.url, token="a.token-x")
    environ = {**os.environ, "DAFTRAY_OTLP": "1", "OTEL_RESOURCE_ATTRIBUTES": "team=a,process.pid=1"}
    otel.switch_on(environ, settings)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, env=environ)
    assert await asyncio.wait_for(process.wait(), 120) == 0
    assert collector.came, "Daft's exporter has sent nothing"
    greatest: dict[tuple[str, str, str], Counter] = {}
    for path, headers, body in collector.came:
        assert (path, headers["authorization"]) == ("/v1/ingest/otlp/v1/metrics", "Bearer a.token-x")
        for counter in otlp.read(body, headers["content-type"]):
            assert f"-{os.getpid()}-" in counter.process, "the process is named by the runner"
            greatest[counter.process, counter.metric, repr(counter.attributes)] = counter
    found = summarise(
        CounterTotal(metric=one.metric, attributes=one.attributes, value=one.value)
        for one in greatest.values()
    )
    assert (found.requests, found.tokens_in, found.custom) == (None, None, ())
    values = {counter.name: counter.value for counter in found.other}
    assert values["daft.my_rows"] == 40
    assert values["daft.rows.out"] >= 40


def test_nothing_is_set_unless_the_run_asks_for_it_and_its_own_settings_stay() -> None:
    settings = RunSettings(run_id="run_1", attempt=1, report_url="http://control/", token="t")
    environ: dict[str, str] = {}
    otel.switch_on(environ, settings)
    assert environ == {}
    environ = {"DAFTRAY_OTLP": "1", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://mine"}
    otel.switch_on(environ, settings)
    assert environ == {"DAFTRAY_OTLP": "1", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://mine"}, "no token"
    environ = {"DAFTRAY_OTLP": "1"}
    for _ in range(2):
        otel.switch_on(environ, settings)
    assert environ["OTEL_RESOURCE_ATTRIBUTES"].count("process.pid=") == 1
