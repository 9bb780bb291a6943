"""What runs may report over HTTP and what is refused, and how people read it while the run goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_runs import end, log_on, run_on
from api_server import BASE, ApiServer, api_server

from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

RUNS = f"{BASE}/demo/runs"
AT = "2026-11-01T12:00:00Z"
STARTED = {"attempt": 1, "pid": 7, "host": "head", "python_version": "3.12.1", "at": AT}
FINISHED = {"attempt": 1, "outcome": "returned", "exit_code": 0, "at": AT}
OTLP = "/v1/ingest/otlp/v1/metrics"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def send(api: ApiServer, run: dict[str, Any], what: str, *, method: str = "POST", **body: Any) -> Any:
    path = f"/v1/ingest/runs/{run['id']}/{what}"
    return await api.ask(method, path, key=api.token(run), **body)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("started", {**STARTED, "attempt": 2}),
        ("started", {**STARTED, "attempt": 0}),
        ("started", {**STARTED, "at": "2026-11-01T12:00:00"}),
        ("started", {}),
        ("finished", {**FINISHED, "attempt": 2}),
        ("finished", {**FINISHED, "outcome": "vanished"}),
        ("finished", {**FINISHED, "at": "2026-11-01T12:00:00"}),
        ("result", {"kind": "json", "attempt": 2}),
        ("result", {"kind": "picture"}),
    ],
)
async def test_a_report_of_another_attempt_or_form_is_refused(
    api: ApiServer, what: str, body: dict[str, Any]
) -> None:
    answer = await send(api, await api.create_run(), what, json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "[1,]", "{'a': 1}", "\ufeff1", '"\x01"', ""])
async def test_a_result_that_is_no_json_is_not_kept(api: ApiServer, value: str) -> None:
    run = await api.create_run()
    content = f'{{"kind":"json","attempt":1,"value":{value}}}'.encode()
    assert (await send(api, run, "result", content=content)).status_code == 400
    assert (await api.ask("GET", f"{RUNS}/{run['id']}/results")).json()["type"] == "result-not-found"


async def test_the_last_result_counts(api: ApiServer) -> None:
    run = await api.create_run()
    for value in (1, {"second": None}):
        assert (await send(api, run, "result", json={"kind": "json", "value": value})).status_code == 204
    assert (await api.ask("GET", f"{RUNS}/{run['id']}/results")).json() == {"second": None}


async def test_a_result_that_was_omitted_says_why(api: ApiServer) -> None:
    run = await api.create_run()
    note = "a generator cannot be kept"
    assert (await send(api, run, "result", json={"kind": "omitted", "note": note})).status_code == 204
    got = (await api.ask("GET", f"{RUNS}/{run['id']}/results")).json()
    assert (got["kind"], got["note"], got["value"]) == ("omitted", note, None)
    download = await api.ask("GET", f"{RUNS}/{run['id']}/results/download")
    assert (download.status_code, download.json()["type"]) == (404, "result-not-found")


async def test_an_artifact_comes_back_as_it_was_and_one_that_never_came_is_not_there(api: ApiServer) -> None:
    run = await api.create_run()
    artifact = {"kind": "artifact", "data": True, "media_type": "image/png", "size": 4}
    assert (await send(api, run, "result", json=artifact)).status_code == 204
    missing = await api.ask("GET", f"{RUNS}/{run['id']}/results/download")
    assert (missing.status_code, missing.json()["type"]) == (404, "result-not-found")
    for content in (b"old", b"\x89PNG"):
        assert (await send(api, run, "result/data", method="PUT", content=content)).status_code == 204
    download = await api.ask("GET", f"{RUNS}/{run['id']}/results/download", key="viewer")
    assert (download.content, download.headers["x-content-type-options"]) == (b"\x89PNG", "nosniff")
    assert download.headers["content-disposition"].startswith("attachment;")


async def test_no_secret_comes_back_in_what_a_run_reports_of_its_end(api: ApiServer) -> None:
    value = "correct-horse-battery"
    run = await api.create_run(secrets={"OWN": value})
    exception = {"type": "ValueError", "message": f"bad {value}", "frames": []}
    body = {**FINISHED, "outcome": "raised", "exit_code": 1, "detail": value, "exception": exception}
    for _ in range(2):
        assert (await send(api, run, "finished", json=body)).status_code == 204
    problems = await api.ask("GET", f"{RUNS}/{run['id']}/problems")
    assert problems.json()["problems"][0]["message"].startswith("bad ")
    for part in ("", "/problems", "/events", "/metrics"):
        assert value not in (await api.ask("GET", f"{RUNS}/{run['id']}{part}")).text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b'{"resourceMetrics": 3}',
        b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{}]}]}]}',
    ],
)
async def test_counters_of_another_form_are_refused(api: ApiServer, content: bytes) -> None:
    answer = await api.ask("POST", OTLP, key=api.token(await api.create_run()), content=content)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")


@pytest.mark.parametrize("value", ["-1", "x", "1e999"])
async def test_a_counter_that_is_no_count_is_refused(api: ApiServer, value: str) -> None:
    run = await api.create_run()
    counters = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{"asInt": value}]}
    resource = {"attributes": [{"key": "daftray.process", "value": {"stringValue": "p"}}]}
    metrics = [{"name": "daftray.requests", "sum": counters}]
    export = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
    assert (await api.ask("POST", OTLP, key=api.token(run), json=export)).status_code == 400
    assert (await api.ask("GET", f"{RUNS}/{run['id']}/metrics")).json()["requests"] is None


@pytest.mark.parametrize("verdict", [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED])
async def test_a_token_dies_with_its_run_on_every_route(api: ApiServer, verdict: RunStatus) -> None:
    run = await api.create_run()
    await run_on(api, run, b"log\n")
    assert (await send(api, run, "secrets", method="GET")).status_code == 200
    await end(api, run, Verdict(status=verdict))
    assert (await send(api, run, "secrets", method="GET")).status_code == 401
    assert (await send(api, run, "finished", json=FINISHED)).status_code == 401
    assert (await send(api, run, "result/data", method="PUT", content=b"x")).status_code == 401
    assert (await api.ask("POST", OTLP, key=api.token(run), json={})).status_code == 401


async def test_a_log_that_grows_is_followed_to_the_runs_end(api: ApiServer) -> None:
    run = await api.create_run()
    path = f"{RUNS}/{run['id']}/logs"
    assert (await api.ask("GET", path)).content == b""
    await run_on(api, run, b"one\ntw")
    assert (await api.ask("GET", path, headers={"Range": "bytes=4-"})).content == b"tw"
    await log_on(api, run, b"o\nlast")
    assert (await api.ask("GET", f"{path}?tail=1")).content == b"last"
    await end(api, run, Verdict(status=RunStatus.FAILED))
    text = (await api.ask("GET", f"{path}/tail")).text
    events = [event.split("\n") for event in text.split("\n\n") if event.startswith("id:")]
    assert [event[0] for event in events] == ["id: 4", "id: 8", "id: 12", "id: 12"]
    assert events[-1][1:] == ["event: end", 'data: {"status":"failed"}']


@pytest.mark.parametrize(
    ("path", "headers", "status", "kind"),
    [
        ("/tail?attempt=3", {}, 404, "log-not-found"),
        ("?attempt=3", {}, 404, "log-not-found"),
        ("/tail?from=-1", {}, 400, "invalid-input"),
        ("/tail", {"Last-Event-ID": "x"}, 400, "invalid-input"),
        ("?tail=0", {}, 400, "invalid-input"),
        ("?tail=10001", {}, 400, "invalid-input"),
        ("?q=", {}, 400, "invalid-input"),
    ],
)
async def test_what_cannot_be_read_of_a_log_is_refused_before_anything_is_sent(
    api: ApiServer, path: str, headers: dict[str, str], status: int, kind: str
) -> None:
    run = await api.create_run()
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/logs{path}", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, kind)
