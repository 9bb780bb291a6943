"""A pass of retention by HTTP, over real SQLite and a real folder; and what is then answered of what went."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import BASE, ApiServer, api_server
from ended_runs import a_live_run, an_ended_run
from factories import new

from daftray.client import AsyncClient
from daftray.domain.errors import ForbiddenError, LogRemovedError, ResultRemovedError
from daftray.domain.result import RunResult
from daftray.domain.run import Run
from daftray.logs.chunks import growing_key
from daftray.metrics.outcomes import result_key

GC = "/v1/admin/gc"
LONG_AGO = datetime.now(UTC) - timedelta(days=200)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as found:
        yield found


@pytest.fixture
def sdk(server: ApiServer) -> AsyncClient:
    transport = server.http._transport
    return AsyncClient("http://control", server.keys["admin"], project="demo", transport=transport)


async def keep(server: ApiServer, run: Run) -> None:
    """Keep a run of ``demo`` as if it had been made long ago, with its log and its result."""
    store, blobs = server.services.reconciler._context.runs, server.services.archive._blobs
    await store.add(new(run))
    await blobs.put(growing_key(run.id, 1, 0, 6), b"hello\n")
    await blobs.put(result_key(run.id, 1), b"PAR1")
    result = RunResult(kind="table", media_type="application/vnd.apache.parquet", data=True, size=4)
    await server.services.outcomes._reports.put_result(run.id, result)


@pytest.fixture
async def runs(server: ApiServer) -> tuple[Run, Run]:
    """One that ended long ago, and one that goes on for as long."""
    project = (await server.ask("GET", f"{BASE}/demo")).json()["id"]
    old = an_ended_run(LONG_AGO, log_size=6, project=project)
    live = a_live_run(LONG_AGO, log_size=6, project=project)
    for run in (old, live):
        await keep(server, run)
    return old, live


def counted(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {f"{line['what']}: {line['rule']}": line["count"] for line in answer.json()["removed"]}


async def test_what_is_removed_is_told_to_whoever_asks_for_it(
    server: ApiServer, sdk: AsyncClient, runs: tuple[Run, Run]
) -> None:
    old, live = runs
    assert await sdk.runs.logs(old.id) == b"hello\n"
    expected = {"logs: older than 90 days": 1}
    told = await server.ask("POST", GC, json={"dry_run": True})
    assert counted(told) == expected
    assert await sdk.runs.logs(old.id) == b"hello\n"
    assert counted(await server.ask("POST", GC, json={})) == expected
    assert (await sdk.admin.gc()).removed == []

    for path in ("logs", "logs?tail=1", "logs/tail", "logs/since?time=2026-01-01T00:00:00Z"):
        answer = await server.ask("GET", f"{BASE}/demo/runs/{old.id}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (410, "log-removed")
    with pytest.raises(LogRemovedError, match="was removed on"):
        await sdk.runs.logs(old.id)
    with pytest.raises(LogRemovedError):
        [line async for line in sdk.runs.follow(old.id)]
    assert (await sdk.runs.get(old.id)).current.log_removed_at is not None
    assert await sdk.runs.logs(live.id) == b"hello\n"


async def test_a_removed_result_is_told_too(
    server: ApiServer, sdk: AsyncClient, runs: tuple[Run, Run]
) -> None:
    old, live = runs
    database = server.services.database
    async with database.writing() as session:  # results tell by themselves when they came
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE results SET reported_at = '2020-01-01 00:00:00.000000'")
    assert counted(await server.ask("POST", GC, json={"dry_run": False}))["results: older than 90 days"] == 1
    for path in ("results", "results/preview", "results/download"):
        answer = await server.ask("GET", f"{BASE}/demo/runs/{old.id}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (410, "result-removed")
    with pytest.raises(ResultRemovedError):
        await sdk.runs.result(old.id)
    assert (await sdk.runs.result_preview(live.id)).rows is None
    assert b"".join([piece async for piece in sdk.runs.download_result(live.id)]) == b"PAR1"


async def test_only_the_operator_may_ask(server: ApiServer, runs: tuple[Run, Run]) -> None:
    for key, status in ((None, 401), ("viewer", 403), ("runner", 403), ("stranger", 403)):
        assert (await server.ask("POST", GC, key=key, json={})).status_code == status, key
    token = server.services.reconciler._context.tokens.issue(runs[1].id, 1)
    assert (await server.ask("POST", GC, key=token, json={})).status_code == 403
    stranger = AsyncClient("http://control", server.keys["stranger"], transport=server.http._transport)
    with pytest.raises(ForbiddenError, match="operator"):
        await stranger.admin.gc(dry_run=True)
    assert counted(await server.ask("POST", GC, json={"dry_run": True})) != {}


async def test_a_misspelt_dry_run_removes_nothing(server: ApiServer, runs: tuple[Run, Run]) -> None:
    del runs
    for body in ({"dryrun": True}, {"dry_run": "yes"}):
        assert (await server.ask("POST", GC, json=body)).status_code == 400
    assert (await server.ask("POST", GC)).status_code == 400
    assert counted(await server.ask("POST", GC, json={"dry_run": True})) == {"logs: older than 90 days": 1}
