"""OTLP over HTTP: every encoding, every exporter, many at once, and none of another run's."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_server import BASE, ApiServer, api_server
from otlp_bodies import JSON, PROTOBUF, a_histogram, a_point, a_sum, encoded, metrics

from daftray.domain.metrics import RunMetrics
from daftray.domain.run import Verdict
from daftray.domain.status import RunPhase, RunStatus

RUNS = f"{BASE}/demo/runs"
OTLP = "/v1/ingest/otlp/v1/metrics"
CHAT = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "m", "gen_ai.operation.name": "chat"}


SECRET = "of-this-cluster-and-long-enough"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path, ray_events_secret=SECRET) as server:
        yield server


def requests(count: int, *, process: str = "p", run: str | None = None) -> dict[str, Any]:
    """Return what the runner of a process sends that made so many requests."""
    resource = {"daftray.process": process, **({"daftray.run_id": run} if run else {})}
    point = a_point(asInt=str(count), attributes=CHAT)
    return metrics(a_sum("daftray.requests", point), scope="daftray.runner", **resource)


def instrumented(count: int) -> dict[str, Any]:
    point = a_point(count=str(count), sum=20.0, attributes={**CHAT, "gen_ai.token.type": "input"})
    resource: dict[str, Any] = {"host.name": "h", "process.pid": 7}
    return metrics(a_histogram("gen_ai.client.token.usage", point), **resource)


async def post(
    api: ApiServer, run: dict[str, Any], request: dict[str, Any], content_type: str = JSON, **more: Any
) -> Any:
    headers = {"Content-Type": content_type, **more.pop("headers", {})}
    content = more.pop("content", None) or encoded(request, content_type)
    return await api.ask("POST", OTLP, key=api.token(run), content=content, headers=headers)


async def used(api: ApiServer, run: dict[str, Any]) -> RunMetrics:
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/metrics")
    return msgspec.json.decode(answer.content, type=RunMetrics)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
async def test_every_encoding_is_taken_and_answered_in_kind(
    api: ApiServer, content_type: str, compressed: bool
) -> None:
    run = await api.create_run()
    content = encoded(instrumented(3), content_type)
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    content = gzip.compress(content) if compressed else content
    answer = await post(api, run, {}, content_type, content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.content == (b"" if content_type == PROTOBUF else b"{}")
    assert (await used(api, run)).tokens_in == 20


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip"),
        (gzip.compress(bytes(11 * 1024**2)), "gzip"),
        (b"{}", "br"),
    ],
)
async def test_what_cannot_be_unpacked_is_refused(api: ApiServer, content: bytes, encoding: str) -> None:
    run = await api.create_run()
    answer = await post(api, run, {}, content=content, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")


async def test_the_run_is_the_tokens_whatever_the_report_says(api: ApiServer) -> None:
    mine, other = await api.create_run(), await api.create_run()
    for content_type in (JSON, PROTOBUF):
        answer = await post(api, mine, requests(3, run=other["id"]), content_type)
        assert answer.status_code == 200
    assert (await used(api, mine)).requests == 3
    assert (await used(api, other)) == RunMetrics()
    token = api.token(mine)
    for path in ("started", "secrets", "result", "finished"):
        method = "GET" if path == "secrets" else "POST"
        answer = await api.ask(method, f"/v1/ingest/runs/{other['id']}/{path}", key=token, json={})
        assert answer.status_code == 401, path
    unsigned = await api.ask("POST", OTLP, key=None, json=requests(3))
    assert unsigned.status_code == 401
    forged = await api.ask("POST", OTLP, key=token[:-4] + "AAAA", json=requests(3))
    assert forged.status_code == 401
    person = await api.ask("POST", OTLP, key="admin", json=requests(3))
    assert person.status_code == 403


async def test_two_hundred_processes_at_once_are_few_writes_and_no_report_is_lost(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await api.create_run()
    store: Any = api.services.usage._reports
    count, writes = store.count, 0

    async def counted(*args: Any) -> None:
        nonlocal writes
        writes += 1
        await count(*args)

    monkeypatch.setattr(store, "count", counted)
    told: list[int] = []
    for made in (1, 2, 3):
        answers = await asyncio.gather(*(post(api, run, requests(made, process=f"p{n}")) for n in range(200)))
        assert {answer.status_code for answer in answers} == {200}
        told.append(int(answers[-1].headers.get("retry-after", 0)))
    assert (await used(api, run)).requests == 600
    assert writes <= 100, "of six hundred reports"
    assert told[-1] == 2, "two hundred processes have a hundred reports a second between them"


async def test_a_process_alone_is_told_to_wait_for_nothing(api: ApiServer) -> None:
    answer = await post(api, await api.create_run(), requests(1))
    assert "retry-after" not in answer.headers


async def test_metrics_have_a_series_and_are_followed(api: ApiServer) -> None:
    run = await api.create_run()
    await post(api, run, requests(3))
    found = await used(api, run)
    assert [sample.requests for sample in found.series.samples] == [3]
    context = api.services.reconciler._context
    await context.runs.claim_due(context.claim, limit=10)
    stored = await api.stored(run)
    now = datetime.now(UTC)
    cancelling, _ = stored.advance(RunPhase.CANCELLING, now)
    harvesting, _ = cancelling.advance(RunPhase.HARVESTING, now, verdict=Verdict(status=RunStatus.CANCELLED))
    done, event = harvesting.advance(RunPhase.DONE, now)
    await context.runs.save(done, (event,), context.claim)
    text = (await api.ask("GET", f"{RUNS}/{run['id']}/metrics/tail")).text
    comment, change, end = text.strip().split("\n\n")
    assert comment.startswith(":")
    data = change.removeprefix("event: metrics\ndata: ")
    assert msgspec.json.decode(data, type=RunMetrics) == found
    assert end == 'event: end\ndata: {"status":"cancelled"}'


async def test_events_of_ray_are_taken_at_the_address_that_ends_in_the_secret(api: ApiServer) -> None:
    run = await api.create_run()
    config = {"metadata": {"job_submission_id": f"{run['id']}-1"}}
    states = [
        {"state": "RUNNING", "timestamp": "2026-11-01T12:00:00.000000001Z"},
        {"state": "FINISHED", "timestamp": "2026-11-01T12:00:10.000000001Z"},
    ]
    of = {"jobId": "AgAAAA==", "taskId": "t", "taskAttempt": 0}
    events = [
        {"sessionName": "s", "driverJobDefinitionEvent": {"jobId": "AgAAAA==", "config": config}},
        {
            "sessionName": "s",
            "taskDefinitionEvent": {**of, "taskType": "NORMAL_TASK", "requiredResources": {"CPU": 0.5}},
        },
        {"sessionName": "s", "taskLifecycleEvent": {**of, "stateTransitions": states}},
    ]
    wrong = await api.ask("POST", f"/v1/ingest/ray/{SECRET[:-1]}/events", key=None, json=events)
    assert (wrong.status_code, await used(api, run)) == (401, RunMetrics())
    for _ in range(2):
        taken = await api.ask("POST", f"/v1/ingest/ray/{SECRET}/events", key=None, json=events)
        assert taken.status_code == 204
    cpu = (await used(api, run)).cpu_seconds
    assert (cpu.reserved, cpu.allocated, cpu.source, cpu.partial) == (5, 5, "reserved", False)
    refused = await api.ask("POST", f"/v1/ingest/ray/{SECRET}/events", key=None, content=b"3")
    assert refused.status_code == 400


async def test_without_a_secret_no_events_are_taken(tmp_path: Path) -> None:
    async with api_server(tmp_path) as api:
        for secret in ("", "None", SECRET):
            answer = await api.ask("POST", f"/v1/ingest/ray/{secret}/events", json=[])
            assert answer.status_code in {401, 404}
