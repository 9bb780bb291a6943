"""What runs report over HTTP, and what people then read of it: results, metrics, problems, logs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, ApiServer, api_server
from msgspec.structs import replace

from daftray.domain.run import Verdict
from daftray.domain.status import RunPhase, RunStatus

RUNS = f"{BASE}/demo/runs"
INGEST = "/v1/ingest/runs"
AT = "2026-11-01T12:00:00Z"
STARTED = {"attempt": 1, "pid": 7, "host": "head", "python_version": "3.12.1", "at": AT}
FINISHED = {"attempt": 1, "outcome": "returned", "exit_code": 0, "at": AT}


@pytest.fixture(params=["here", "far"])
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[ApiServer]:
    """A server on SQLite and a folder, and one on PostgreSQL and S3."""
    places: dict[str, str] = {}
    if request.param == "far":
        places["database_url"] = request.getfixturevalue("emptied_postgres")
        places["blobs_url"] = request.getfixturevalue("s3_url")
    async with api_server(tmp_path, **places) as server:
        yield server


async def report(api: ApiServer, run: dict[str, Any], what: str, body: Any, *, method: str = "POST") -> Any:
    return await api.ask(method, f"{INGEST}/{run['id']}/{what}", key=api.token(run), json=body)


async def end(api: ApiServer, run: dict[str, Any], log: bytes = b"") -> None:
    """Give a run a log and its end, as the reconciler does."""
    context = api.services.reconciler._context
    await context.runs.claim_due(context.claim, limit=10)
    now = datetime.now(UTC)
    stored = await api.stored(run)
    stored = stored.with_attempt(stored.current)
    harvesting, _ = replace(stored, phase=RunPhase.RUNNING).advance(
        RunPhase.HARVESTING, now, verdict=Verdict(status=RunStatus.SUCCEEDED, exit_code=0)
    )
    await context.runs.save(harvesting, (), context.claim)
    if log:
        await api.services.archive._append(harvesting, 0, log, context.claim)
    done, event = (await api.stored(run)).advance(RunPhase.DONE, now)
    await context.runs.save(done, (event,), context.claim)


async def test_a_start_is_answered_with_what_to_run_and_the_secrets(api: ApiServer) -> None:
    await api.ask("PUT", f"{BASE}/demo/secrets/SHARED", json={"value": "of-project"})
    run = await api.create_run(secrets={"OWN": "of-run"})
    for _ in range(2):
        answer = await report(api, run, "started", STARTED)
        assert answer.json() == {
            "entrypoint": {"file": {"file_path": "main.py", "argv": None}},
            "secrets": {"SHARED": "of-project", "OWN": "of-run"},
        }
    secrets = await api.ask("GET", f"{INGEST}/{run['id']}/secrets?attempt=1", key=api.token(run))
    assert secrets.json() == {"SHARED": "of-project", "OWN": "of-run"}


async def test_a_runs_token_opens_its_own_reports_and_nothing_else(api: ApiServer) -> None:
    run, other = await api.create_run(), await api.create_run()
    token = api.token(run)
    assert (await api.ask("GET", RUNS, key=token)).status_code == 403
    assert (await api.ask("GET", f"{INGEST}/{other['id']}/secrets", key=token)).status_code == 401
    assert (await api.ask("GET", f"{INGEST}/{run['id']}/secrets")).status_code == 403, "not a person's"
    await end(api, run)
    assert (await report(api, run, "started", STARTED)).status_code == 401, "it has died with the run"


async def test_a_result_is_the_json_that_was_sent(api: ApiServer) -> None:
    run = await api.create_run()
    assert (await api.ask("GET", f"{RUNS}/{run['id']}/results")).json()["type"] == "result-not-found"
    text = b'{"kind":"json","attempt":1,"value":{"b": 1.50, "a": [12345678901234567890123]}}'
    path = f"{INGEST}/{run['id']}/result"
    assert (await api.ask("POST", path, key=api.token(run), content=text)).status_code == 204
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/results")
    assert answer.text == '{"b": 1.50, "a": [12345678901234567890123]}'
    assert answer.headers["content-type"] == "application/json"
    assert (await api.ask("GET", f"{RUNS}/{run['id']}/results/download")).status_code == 404
    wrong = await api.ask(
        "POST", path, key=api.token(run), content=text.replace(b'"attempt":1', b'"attempt":2')
    )
    assert wrong.status_code == 400


async def test_a_tables_bytes_can_be_had(api: ApiServer) -> None:
    run = await api.create_run()
    path = f"{INGEST}/{run['id']}/result"
    data = b"PAR1" + bytes(300_000)
    assert (
        await api.ask("PUT", f"{path}/data?attempt=1", key=api.token(run), content=data)
    ).status_code == 204
    table = {
        "kind": "table", "media_type": "application/vnd.apache.parquet", "data": True, "rows": 1,
        "columns": [{"name": "a", "type": "int64"}], "preview": [{"a": 1}], "size": len(data),
    }  # fmt: skip
    assert (await report(api, run, "result", table)).status_code == 204
    preview = (await api.ask("GET", f"{RUNS}/{run['id']}/results/preview")).json()
    assert (preview["kind"], preview["rows"], preview["preview"]) == ("table", 1, [{"a": 1}])
    download = await api.ask("GET", f"{RUNS}/{run['id']}/results/download")
    assert download.content == data
    assert f'filename="{run["id"]}.parquet"' in download.headers["content-disposition"]
    assert download.headers["x-content-type-options"] == "nosniff"


async def test_the_exception_that_ended_a_run_is_its_problem_once(api: ApiServer) -> None:
    run = await api.create_run()
    frame = {"file": "main.py", "line": 3, "function": "f", "code": "raise", "user": True}
    exception = {"type": "ValueError", "message": "no", "frames": [frame]}
    for _ in range(2):
        body = {**FINISHED, "outcome": "raised", "exit_code": 1, "exception": exception}
        assert (await report(api, run, "finished", body)).status_code == 204
    (problem,) = (await api.ask("GET", f"{RUNS}/{run['id']}/problems")).json()["problems"]
    assert (problem["type"], problem["count"], problem["frames"][0]["line"]) == ("ValueError", 1, 3)


async def test_counters_are_the_greatest_of_each_process_summed(api: ApiServer) -> None:
    run = await api.create_run()

    def export(process: str, value: int) -> dict[str, Any]:
        point = {
            "asInt": str(value),
            "attributes": [{"key": "gen_ai.request.model", "value": {"stringValue": "m"}}],
        }
        metric = {
            "name": "daftray.requests",
            "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]},
        }
        resource = {"attributes": [{"key": "daftray.process", "value": {"stringValue": process}}]}
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}

    for process, value in (("a", 3), ("b", 5), ("a", 2), ("b", 5)):
        sent = await api.ask(
            "POST", "/v1/ingest/otlp/v1/metrics", key=api.token(run), json=export(process, value)
        )
        assert sent.status_code == 200
    metrics = (await api.ask("GET", f"{RUNS}/{run['id']}/metrics")).json()
    assert (metrics["requests"], metrics["tokens_in"]) == (8, None)
    assert metrics["by_model"][0]["name"] == "m"
    assert (await api.ask("GET", f"{RUNS}/{run['id']}")).json()["usage"]["requests"] == 8


LOG = b"one\ntwo \xff\nthree <script>\nlast"


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        (None, 200, LOG, None),
        ("bytes=0-2", 206, b"one", f"bytes 0-2/{len(LOG)}"),
        ("bytes=-4", 206, b"last", f"bytes {len(LOG) - 4}-{len(LOG) - 1}/{len(LOG)}"),
        (f"bytes={len(LOG)}-", 416, b"", f"bytes */{len(LOG)}"),
        ("lines=1-2", 200, LOG, None),
    ],
)
async def test_a_log_is_read_byte_for_byte_and_in_ranges(
    api: ApiServer, asked: str | None, status: int, body: bytes, content_range: str | None
) -> None:
    run = await api.create_run()
    await end(api, run, LOG)
    headers = {"Range": asked} if asked else {}
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/logs", headers=headers)
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_logs_end_and_its_matches(api: ApiServer) -> None:
    run = await api.create_run()
    await end(api, run, LOG)
    path = f"{RUNS}/{run['id']}/logs"
    assert (await api.ask("GET", f"{path}?tail=2")).content == b"three <script>\nlast"
    found = (await api.ask("GET", f"{path}?q=TWO")).json()
    assert [(match["line"], match["offset"]) for match in found["matches"]] == [(2, 4)]
    assert (await api.ask("GET", f"{path}?attempt=9")).json()["type"] == "log-not-found"


@pytest.mark.parametrize(
    ("query", "headers", "first"), [("", {}, "4"), ("?from=4", {}, "10"), ("", {"Last-Event-ID": "10"}, "25")]
)
async def test_a_log_is_followed_from_where_one_was_to_its_end(
    api: ApiServer, query: str, headers: dict[str, str], first: str
) -> None:
    run = await api.create_run()
    await end(api, run, LOG)
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/logs/tail{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [event for event in answer.text.split("\n\n") if event.startswith("id:")]
    assert events[0].startswith(f"id: {first}\n")
    assert events[-1] == f'id: {len(LOG)}\nevent: end\ndata: {{"status":"succeeded"}}'
    assert '"message":"last"}' in events[-2]
