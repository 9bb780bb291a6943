"""Prices, cost, budgets and Prometheus over HTTP, down to the database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server

DEMO = f"{BASE}/demo"
GPT: dict[str, Any] = {"model": "gpt-*", "per_million_tokens_in": 2, "per_million_tokens_out": 8}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def set_prices(api: ApiServer, *prices: dict[str, Any]) -> Any:
    answer = await api.ask("PUT", f"{DEMO}/prices", json={"prices": list(prices)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def report(api: ApiServer, run: dict[str, Any], *, model: str = "gpt-5", tokens: int) -> None:
    pairs = {"gen_ai.request.model": model, "gen_ai.token.type": "input"}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]
    points = [{"attributes": attributes, "asInt": str(tokens)}]
    metric = {
        "name": "gen_ai.client.token.usage",
        "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points},
    }
    resource = {"attributes": [{"key": "daftray.process", "value": {"stringValue": "driver"}}]}
    scope = {"scope": {"name": "daftray.runner"}, "metrics": [metric]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}
    answer = await api.ask("POST", "/v1/ingest/otlp/v1/metrics", key=api.token(run), json=body)
    assert answer.status_code == 200, answer.text


async def test_prices_are_kept_version_by_version(api: ApiServer) -> None:
    none = await api.ask("GET", f"{DEMO}/prices")
    assert (none.status_code, none.json()["type"]) == (404, "prices-not-found")
    first = await set_prices(api, GPT)
    assert (first["version"], first["prices"][0]["model"], first["created_by"][:4]) == (1, "gpt-*", "key_")
    assert await set_prices(api, GPT) == first
    second = await set_prices(api, {**GPT, "per_request": 1})
    assert (await api.ask("GET", f"{DEMO}/prices", key="viewer")).json() == second
    assert (await api.ask("GET", f"{DEMO}/prices?version=1")).json() == first
    listed = (await api.ask("GET", f"{DEMO}/prices/versions?limit=1")).json()
    assert listed == {"versions": [second], "page": 1, "page_size": 1}
    for version, status in (("3", 404), ("0", 400), ("x", 400), ("9" * 30, 400)):
        assert (await api.ask("GET", f"{DEMO}/prices?version={version}")).status_code == status, version


@pytest.mark.parametrize(
    ("prices", "path"),
    [
        ([{"model": "m"}], "prices[0]"),
        ([{**GPT, "per_requests": 1}], "prices[0].per_requests"),
        ([{"model": "m", "per_request": -1}], "prices[0].per_request"),
        ([{"model": "", "per_request": 1}], "prices[0].model"),
    ],
)
async def test_prices_that_are_not_valid_are_refused_with_their_place(
    api: ApiServer, prices: list[dict[str, Any]], path: str
) -> None:
    answer = await api.ask("PUT", f"{DEMO}/prices", json={"prices": prices})
    assert answer.status_code == 400, answer.text
    assert path in answer.text


async def test_a_run_is_priced_by_its_own_version_and_by_others_on_demand(api: ApiServer) -> None:
    await set_prices(api, GPT)
    run = await api.create_run()
    await set_prices(api, {**GPT, "per_million_tokens_in": 50})
    await report(api, run, tokens=500_000)
    path = f"{DEMO}/runs/{run['id']}"
    metrics = (await api.ask("GET", f"{path}/metrics")).json()
    assert (metrics["cost"], metrics["price_version"], metrics["cost_missing"]) == (1.0, 1, [])
    assert metrics["by_model"][0]["cost"] == 1.0
    assert (await api.ask("GET", path)).json()["usage"]["cost"] == 1.0
    other = (await api.ask("GET", f"{path}/metrics?price_version=2")).json()
    assert (other["cost"], other["price_version"]) == (25.0, 2)
    absent = await api.ask("GET", f"{path}/metrics?price_version=3")
    assert (absent.status_code, absent.json()["type"]) == (404, "prices-not-found")


async def test_a_model_without_a_price_is_named_and_the_cost_unknown(api: ApiServer) -> None:
    await set_prices(api, GPT)
    run = await api.create_run()
    await report(api, run, model="llama", tokens=5)
    metrics = (await api.ask("GET", f"{DEMO}/runs/{run['id']}/metrics")).json()
    assert metrics["cost"] is None
    assert metrics["cost_missing"] == [{"why": "no price", "model": "llama", "provider": None}]


async def test_a_budget_is_kept_and_one_that_counts_nothing_is_refused(api: ApiServer) -> None:
    run = await api.create_run(budget={"tokens": 5, "requests": 2})
    assert (await api.ask("GET", f"{DEMO}/runs/{run['id']}")).json()["budget"] == {
        "tokens": 5,
        "requests": 2,
        "usd": None,
    }
    for budget, path in (({"usd": 1}, "budget.usd"), ({}, "budget"), ({"tokens": 0}, "budget.tokens")):
        answer = await api.ask("POST", f"{DEMO}/runs", json={**RUN_BODY, "budget": budget})
        assert answer.status_code == 400, budget
        assert path in answer.text
    again = await api.ask("POST", f"{DEMO}/runs/{run['id']}/rerun", json={"budget": None})
    assert again.json()["run"]["budget"] is None


async def test_figures_for_prometheus_take_a_key_of_the_whole_workspace(api: ApiServer) -> None:
    run = await api.create_run()
    await report(api, run, tokens=7)
    assert (await api.ask("GET", "/metrics", key=None)).status_code == 401
    refused = await api.ask("GET", "/metrics", key=api.token(run))
    assert refused.status_code == 403
    assert (await api.ask("GET", "/metrics", key="stranger")).status_code == 403
    answer = await api.ask("GET", "/metrics")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    assert 'daftray_usage_tokens_total{direction="in",project="demo"} 7.0' in answer.text
    assert 'daftray_live_runs{phase="pinning",project="demo"} 1.0' in answer.text
    assert 'daftray_reports_total{kind="metrics",outcome="kept"} 1.0' in answer.text


async def test_an_operator_may_open_them_to_all(tmp_path: Path) -> None:
    async with api_server(tmp_path, metrics_open=True) as api:
        assert (await api.ask("GET", "/metrics", key=None)).status_code == 200
        assert (await api.ask("GET", BASE, key=None)).status_code == 401
