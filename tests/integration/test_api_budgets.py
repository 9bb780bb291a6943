"""A budget from the create call to the end of the run, over HTTP, with the reconciler at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, ApiServer, api_server
from factories import a_started
from msgspec import to_builtins
from run_steps import eventually

from daftray.domain.cluster import JobStatus
from daftray.domain.status import RunPhase

RUNS = f"{BASE}/demo/runs"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        server.rayjobs.script = (JobStatus.RUNNING,)
        driving = asyncio.create_task(server.services.reconciler.serve())
        yield server
        driving.cancel()
        with suppress(asyncio.CancelledError):
            await driving


async def report(api: ApiServer, run: dict[str, Any], process: str, requests: int) -> None:
    points = [{"attributes": [], "asInt": str(requests)}]
    totals = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points}
    resource = {"attributes": [{"key": "daftray.process", "value": {"stringValue": process}}]}
    metrics = [{"name": "daftray.requests", "sum": totals}]
    scope = {"scope": {"name": "daftray.runner"}, "metrics": metrics}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}
    answer = await api.ask("POST", "/v1/ingest/otlp/v1/metrics", key=api.token(run), json=body)
    assert answer.status_code == 200, answer.text


async def until(api: ApiServer, run: dict[str, Any], *phases: RunPhase) -> None:
    async def there() -> bool:
        return (await api.stored(run)).phase in phases

    await eventually(there, timeout_s=60)


async def test_many_processes_cross_a_budget_together_and_the_run_is_stopped_once(api: ApiServer) -> None:
    run = await api.create_run(budget={"requests": 50})
    await until(api, run, RunPhase.STARTING)
    started = to_builtins(a_started())
    path = f"/v1/ingest/runs/{run['id']}/started"
    assert (await api.ask("POST", path, key=api.token(run), json=started)).status_code == 200
    await until(api, run, RunPhase.RUNNING)

    await asyncio.gather(*(report(api, run, f"p{number}", 1) for number in range(50)))
    assert (await api.stored(run)).phase is RunPhase.RUNNING
    await report(api, run, "p0", 2)
    await until(api, run, RunPhase.DONE)

    ended = (await api.ask("GET", f"{RUNS}/{run['id']}")).json()
    assert (ended["status"], ended["reason"]) == ("failed", "budget_exceeded")
    assert (
        ended["reason_detail"] == "The run has used 51 requests of at most 50 requests: 51 requests in all."
    )
    assert ended["usage"]["requests"] == 51
    assert api.rayjobs.kills == [f"{run['id']}-1"]
    events = (await api.ask("GET", f"{RUNS}/{run['id']}/events")).json()["events"]
    assert [one["phase"] for one in events[-3:]] == ["cancelling", "harvesting", "done"]
    figures = (await api.ask("GET", "/metrics")).text
    line = 'daftray_runs_ended_total{project="demo",reason="budget_exceeded",status="failed"} 1.0'
    assert line in figures
