"""What Daft Cloud's client reads of an answer, field by field."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server

WORKSPACE = "/v1/workspaces/default"
GITHUB = {"github": {"installation_id": 4711}}
APP = {
    "name": "Score reviews",
    "entrypoint": {"function": {"module": "pkg.jobs", "symbol": "score", "args": [], "kwargs": {}}},
    "environment": {"python_version": "3.12", "dependencies": ["daft"], "environment_variables": {}},
    "triggers": [],
}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def test_projects_and_runs_come_as_the_client_reads_them(api: ApiServer) -> None:
    source = {"github": {"remote": api.repo.url, "branch": "main"}}
    project = (await api.ask("POST", BASE, json={"name": "more", "source": source})).json()
    assert {"id", "name", "source"} <= project.keys()
    assert project["source"]["github"].items() >= source["github"].items()
    page = (await api.ask("GET", BASE, params={"limit": 50, "offset": 0})).json()
    assert ({"projects", "page", "page_size"} <= page.keys(), page["page_size"]) == (True, 50)
    run = await api.create_run()
    runs = (await api.ask("GET", f"{BASE}/demo/runs", params={"limit": 50, "offset": 0})).json()
    assert (runs["runs"][0]["id"], runs["page"], runs["page_size"]) == (run["id"], 1, 50)
    one = (await api.ask("GET", f"{BASE}/demo/runs/{run['id']}")).json()
    wanted = {"id", "status", "entrypoint", "source", "environment", "created_at", "completed_at"}
    assert wanted <= one.keys()
    assert (one["entrypoint"].keys(), one["source"].keys()) == ({"file"}, {"git"})
    assert (await api.ask("GET", f"{BASE}/demo/runs/{run['id']}/results")).status_code == 404
    assert (await api.ask("POST", f"{BASE}/demo/runs/{run['id']}/cancel")).is_success


async def test_apps_are_created_and_deployed_as_the_client_does(api: ApiServer) -> None:
    body: dict[str, Any] = {**APP, "source": {"git": {"remote": api.repo.url}}}
    made = await api.ask("POST", f"{BASE}/demo/apps", json=body)
    assert made.status_code == 201, made.text
    app = made.json()["app"]
    assert app.items() >= {"name": "Score reviews", "entrypoint": APP["entrypoint"]}.items()
    assert app["source"]["git"]["remote"] == api.repo.url
    assert app["environment"].items() >= {"python_version": "3.12", "dependencies": ["daft"]}.items()
    again = await api.ask("POST", f"{BASE}/demo/apps", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "name-taken")
    renamed = {**body, "name": "score", "triggers": [{"cron": {"schedule": "0 0 * * *"}}]}
    put = await api.ask("PUT", f"{BASE}/demo/apps/{app['id']}", json=renamed)
    assert (put.json()["app"]["id"], put.json()["app"]["name"]) == (app["id"], "score")
    assert len((await api.ask("GET", f"{BASE}/demo/apps")).json()["apps"]) == 1
    assert (await api.ask("PUT", f"{BASE}/demo/apps/none", json={"name": "x", **RUN_BODY})).status_code == 404


async def test_integrations_are_recorded_and_taken_out(api: ApiServer) -> None:
    path = f"{WORKSPACE}/integrations"
    for _ in range(2):
        assert (await api.ask("POST", path, json=GITHUB)).status_code == 201
    (one,) = (await api.ask("GET", path, key="viewer")).json()["integrations"]
    assert one["github"] == GITHUB["github"]
    assert (await api.ask("POST", path, key="runner", json=GITHUB)).status_code == 403
    assert (await api.ask("DELETE", path, json=GITHUB)).status_code == 204
    assert (await api.ask("DELETE", path, json=GITHUB)).json()["type"] == "integration-not-found"
    assert (await api.ask("POST", path, json={"github": {"installation_id": 0}})).status_code == 400
