"""Tasks in a browser: a run is saved as one, it is started, and its runs are seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import BASE, RUN_BODY, ApiServer
from browsing import browser, with_person

from daftray.domain.principal import Role

DEMO = "/projects/default/demo"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.RUNNER)
        yield server


async def test_a_run_becomes_a_task_that_is_started(api: ApiServer) -> None:
    run, ada = await api.create_run(), browser(api)
    await ada.sign_in("ada")
    assert "No tasks yet" in (await ada.get(f"{DEMO}/tasks")).text
    page = f"{DEMO}/runs/{run['id']}"
    saved = await ada.submit(page, f"{page}/save-as-task", {"name": EVIL})
    assert (saved.status_code, saved.headers["location"]) == (303, f"{DEMO}/tasks")
    assert (await ada.submit(page, f"{page}/save-as-task", {"name": " "})).status_code == 400
    assert (await ada.submit(page, f"{page}/save-as-task", {"name": EVIL})).status_code == 409
    task = (await api.ask("GET", f"{BASE}/demo/tasks")).json()["tasks"][0]
    started = await ada.submit(f"{DEMO}/tasks", f"{DEMO}/tasks/{task['id']}/runs")
    assert started.headers["location"].startswith(f"{DEMO}/runs/run_")
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    new = started.headers["location"].rpartition("/")[2]
    assert (entry["action"], entry["target"]) == ("task.start", new)
    listed = (await ada.get(f"{DEMO}/tasks")).text
    assert started.headers["location"] in listed
    assert "<script>" not in listed
    assert (await ada.send(f"{DEMO}/tasks/{task['id']}/runs", {})).status_code == 403


async def test_a_task_tells_when_it_comes_next(api: ApiServer) -> None:
    body = {"name": "nightly", **RUN_BODY, "source": {"git": {"remote": api.repo.url}}}
    triggers = [{"cron": {"schedule": "30 2 * * *", "timezone": "Europe/Berlin"}}]
    made = await api.ask("POST", f"{BASE}/demo/tasks", json={**body, "triggers": triggers})
    assert made.status_code == 201, made.text
    await with_person(api, "eve", Role.VIEWER)
    await browser(api).sign_in("eve")
    page = (await browser(api).get(f"{DEMO}/tasks")).text
    assert "30 2 * * *" in page
    assert " 02:30" in page
    assert "Start<" not in page
