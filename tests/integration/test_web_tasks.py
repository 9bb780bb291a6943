"""Tasks in a browser: a run is saved as one, it is started, and its runs are seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_server import BASE, RUN_BODY, ApiServer
from browsing import browser, with_person

from daftray.domain.principal import Role
from daftray.web import tasks

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


async def a_task(api: ApiServer, name: str, **fields: Any) -> dict[str, Any]:
    """Make a task of ``demo``; return it as JSON."""
    body = {"name": name, **RUN_BODY, "source": {"git": {"remote": api.repo.url}}, **fields}
    made = await api.ask("POST", f"{BASE}/demo/tasks", json=body)
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_task_is_started_with_changes(api: ApiServer) -> None:
    task, ada = (
        await a_task(api, EVIL, timeout_s=60, labels={"k": "v"}, secrets={"TOKEN": "hidden-value"}),
        browser(api),
    )
    await ada.sign_in("ada")
    start = f"{DEMO}/tasks/{task['id']}/start"
    assert f'href="{start}"' in (await ada.get(f"{DEMO}/tasks")).text
    page = (await ada.get(start)).text
    assert 'value="1m"' in page
    assert "TOKEN" in page
    assert "hidden-value" not in page
    assert "<script>" not in page
    fields = {
        "kind": "file",
        "path": "main.py",
        "argv": "--x",
        "timeout_s": "1m",
        "labels": "k=v",
        "name": EVIL,
    }
    fields |= {"remote": api.repo.url, "runner": "ray"}
    made = await ada.submit(start, start, fields)
    assert made.status_code == 303, made.text
    run = await api.stored({"id": made.headers["location"].rpartition("/")[2]})
    assert run.entrypoint.file is not None
    assert (run.entrypoint.file.argv, run.timeout_s, run.labels) == (["--x"], 60, {"k": "v"})
    assert (run.task, run.secret_names, run.name) == (task["id"], ("TOKEN",), EVIL)
    said = (await ada.submit(start, f"{start}", {**fields, "timeout_s": "soon"})).text
    assert 'id="wrong-timeout_s"' in said
    assert (
        "tasks start --project demo"
        in (await ada.send(f"{start}/same-as", {**await csrf(api), **fields})).text
    )
    assert (await ada.get(f"{DEMO}/tasks/none/start")).status_code == 404
    assert (await ada.send(start, fields)).status_code == 403


async def csrf(api: ApiServer) -> dict[str, str]:
    return {"csrf_token": (await api.http.get("/v1/auth/session")).json()["csrf_token"]}


async def test_more_tasks_than_a_page_has_are_on_the_next(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_A_PAGE", 2)
    for name in "abc":
        await a_task(api, f"task-{name}")
    await browser(api).sign_in("ada")
    first = (await browser(api).get(f"{DEMO}/tasks")).text
    assert ("task-b" in first, "task-c" in first, f'href="{DEMO}/tasks?page=2"' in first) == (
        True,
        False,
        True,
    )
    second = (await browser(api).get(f"{DEMO}/tasks?page=2")).text
    assert ("task-b" in second, "task-c" in second, 'rel="next"' in second) == (False, True, False)
    assert "not so many" in (await browser(api).get(f"{DEMO}/tasks?page=9")).text
    assert "task-a" in (await browser(api).get(f"{DEMO}/tasks?page={'1' * 5000}")).text


async def test_every_kind_of_trigger_is_told(api: ApiServer) -> None:
    cron = {"cron": {"schedule": "0 4 * * *", "timezone": "Europe/Berlin"}}
    await a_task(api, "nightly", triggers=[cron, {"endpoint": {}}, {"event": {}}])
    await browser(api).sign_in("ada")
    page = (await browser(api).get(f"{DEMO}/tasks")).text
    assert page.count(" 04:00+0") >= 5
    for text in ("Europe/Berlin", "webhook", "event", "does not start runs yet"):
        assert text in page
