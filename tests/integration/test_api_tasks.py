"""Tasks over HTTP, under both of their names."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server

TASKS, APPS, RUNS = f"{BASE}/demo/tasks", f"{BASE}/demo/apps", f"{BASE}/demo/runs"
CRON = {"cron": {"schedule": "30 2 * * *", "timezone": "Europe/Berlin"}}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def a_task(api: ApiServer, **fields: Any) -> dict[str, Any]:
    answer = await api.ask("POST", TASKS, json={"name": "nightly", **RUN_BODY, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def start(api: ApiServer, task: str, **body: Any) -> dict[str, Any]:
    answer = await api.ask("POST", f"{TASKS}/{task}/runs", **body)
    assert answer.status_code == 201, answer.text
    return answer.json()["run"]


async def test_a_task_is_kept_and_found_by_either_of_its_names(api: ApiServer) -> None:
    task = await a_task(api, name="Nightly scoring", labels={"team": "ml"}, triggers=[CRON, {"event": {}}])
    assert task["id"].startswith("tsk_")
    assert task["triggers"] == [CRON, {"event": {}}]
    assert [len(one["next"]) for one in task["outlook"]] == [5, 0]
    assert all("does not start runs yet" in one["detail"] for one in task["outlook"])
    for path in (f"{TASKS}/{task['id']}", f"{TASKS}/Nightly%20scoring", f"{APPS}/{task['id']}"):
        assert (await api.ask("GET", path, key="viewer")).json()["id"] == task["id"]
    assert [one["id"] for one in (await api.ask("GET", TASKS)).json()["tasks"]] == [task["id"]]
    page = (await api.ask("GET", APPS, params={"limit": 1, "offset": 1})).json()
    assert page == {"apps": [], "page": 2, "page_size": 1}


async def test_everything_that_is_wrong_is_told_at_once(api: ApiServer) -> None:
    wrong = [{"cron": {"schedule": "61 25 * * *", "timezone": "Nowhere"}}, {}]
    source = {"git": {"patch": "diff --git", "bundle": "AAAA"}}
    answer = await api.ask(
        "POST", TASKS, json={"name": "nightly", **RUN_BODY, "triggers": wrong, "source": source}
    )
    assert answer.status_code == 400
    assert [one["path"] for one in answer.json()["errors"]] == [
        "source.git.bundle",
        "source.git.patch",
        "triggers[0].cron.schedule",
        "triggers[0].cron.schedule",
        "triggers[0].cron.timezone",
        "triggers[1]",
    ]


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "x" * 101])
async def test_a_name_is_one_line_of_text(api: ApiServer, name: str) -> None:
    answer = await api.ask("POST", TASKS, json={"name": name, **RUN_BODY})
    assert answer.status_code == 400, answer.text


async def test_a_field_that_is_none_is_refused(api: ApiServer) -> None:
    for method, path in (("POST", TASKS), ("POST", APPS)):
        answer = await api.ask(method, path, json={"name": "a", **RUN_BODY, "trigers": []})
        assert [one["path"] for one in answer.json()["errors"]] == ["trigers"]
    await a_task(api)
    answer = await api.ask("PATCH", f"{TASKS}/nightly", json={"triggers": [{"cron": {"shedule": "x"}}]})
    assert answer.status_code == 400


async def test_a_started_task_is_a_run_of_it_with_what_is_overridden(api: ApiServer) -> None:
    task = await a_task(api, labels={"team": "ml"}, priority=3, secrets={"TOKEN": "task-secret"})
    assert task["secret_names"] == ["TOKEN"]
    assert "task-secret" not in str(task)
    plain = await start(api, "nightly")
    assert (plain["task"], plain["trigger"], plain["name"]) == (task["id"], "manual", "nightly")
    assert (plain["labels"], plain["priority"], plain["secret_names"]) == ({"team": "ml"}, 3, ["TOKEN"])
    other = await start(
        api, task["id"], json={"priority": 7, "name": None, "secrets": {"MORE": "another one"}}
    )
    assert (other["priority"], other["name"], other["secret_names"]) == (7, None, ["MORE", "TOKEN"])
    stored = await api.services.secrets.own_of_run(other["id"])
    assert stored == {"TOKEN": "task-secret", "MORE": "another one"}
    answer = await api.ask("POST", f"{TASKS}/nightly/runs", json={"priority": "x"})
    assert [one["path"] for one in answer.json()["errors"]] == ["priority"]


async def test_one_key_starts_a_task_once_though_it_changes_meanwhile(api: ApiServer) -> None:
    await a_task(api)
    headers = {"Idempotency-Key": "k"}
    first = await start(api, "nightly", headers=headers)
    await api.ask("PATCH", f"{TASKS}/nightly", json={"priority": 1})
    assert (await start(api, "nightly", headers=headers))["id"] == first["id"]
    answer = await api.ask("POST", f"{TASKS}/nightly/runs", json={"priority": 2}, headers=headers)
    assert answer.status_code == 409


async def test_runs_are_listed_by_task_also_when_it_is_gone(api: ApiServer) -> None:
    task = await a_task(api)
    run = await start(api, "nightly")
    again = (await api.ask("POST", f"{RUNS}/{run['id']}/rerun")).json()["run"]
    await api.create_run()
    wanted = [again["id"], run["id"]]

    async def listed(path: str, **params: str) -> list[str]:
        return [one["id"] for one in (await api.ask("GET", path, params=params)).json()["runs"]]

    assert await listed(RUNS, task="nightly") == wanted
    assert await listed(RUNS, task=task["id"], status="pending") == wanted
    assert await listed(f"{TASKS}/nightly/runs") == wanted
    assert await listed(f"{TASKS}/nightly/runs", limit="1", cursor=again["id"]) == [run["id"]]
    assert (await api.ask("DELETE", f"{TASKS}/nightly")).status_code == 204
    assert await listed(RUNS, task=task["id"]) == wanted
    assert await listed(RUNS, task="nightly") == []
    assert (await api.ask("GET", f"{TASKS}/nightly/runs")).json()["type"] == "task-not-found"
    assert (await api.ask("GET", f"{RUNS}/{run['id']}")).json()["task"] == task["id"]


async def test_a_task_is_replaced_changed_and_renamed(api: ApiServer) -> None:
    task = await a_task(api, priority=3, secrets={"TOKEN": "task-secret"})
    path = f"{TASKS}/{task['id']}"
    put = (await api.ask("PUT", path, json={"name": "weekly", **RUN_BODY, "triggers": [CRON]})).json()
    assert (put["name"], put["priority"], put["secret_names"]) == ("weekly", 0, ["TOKEN"])
    patched = (await api.ask("PATCH", path, json={"timeout_s": 60, "secrets": {}})).json()
    assert (patched["timeout_s"], patched["secret_names"], patched["triggers"]) == (60, [], [CRON])
    assert (patched["created_at"], patched["id"]) == (task["created_at"], task["id"])
    await a_task(api, name="other")
    answer = await api.ask("PATCH", path, json={"name": "other"})
    assert (answer.status_code, answer.json()["type"]) == (409, "name-taken")
    for method, body in (("PUT", {"name": "x", **RUN_BODY}), ("PATCH", None), ("DELETE", None)):
        answer = await api.ask(method, f"{TASKS}/none", json=body)
        assert (answer.status_code, answer.json()["type"]) == (404, "task-not-found"), method


async def test_triggers_are_set_and_told_with_what_comes_of_them(api: ApiServer) -> None:
    await a_task(api)
    path = f"{TASKS}/nightly/triggers"
    assert (await api.ask("GET", path)).json() == {"triggers": [], "outlook": []}
    answer = (await api.ask("PUT", path, json={"triggers": [CRON]})).json()
    assert answer["triggers"] == [CRON]
    assert len(answer["outlook"][0]["next"]) == 5
    assert (await api.ask("GET", path)).json()["triggers"] == [CRON]
    refused = await api.ask("PUT", path, json={"triggers": [{"cron": {"schedule": "never"}}]})
    assert refused.status_code == 400
    assert (await api.ask("GET", path)).json()["triggers"] == [CRON]


async def test_a_run_is_saved_as_a_task_with_its_own_secrets(api: ApiServer) -> None:
    patch = "diff --git a/main.py b/main.py\n"
    run = await api.create_run(
        source={"git": {"ref": "main", "patch": patch}}, secrets={"TOKEN": "run-secret"}, labels={"a": "b"}
    )
    answer = await api.ask("POST", f"{RUNS}/{run['id']}/save-as-task", json={"name": "saved"})
    assert answer.status_code == 201, answer.text
    task = answer.json()
    assert (task["source"], task["labels"], task["secret_names"]) == (run["source"], {"a": "b"}, ["TOKEN"])
    started = await start(api, "saved")
    assert started["source"] == run["source"]
    assert await api.services.secrets.own_of_run(started["id"]) == {"TOKEN": "run-secret"}
    again = await api.ask("POST", f"{RUNS}/{run['id']}/save-as-task", json={"name": "saved"})
    assert again.status_code == 409
    missing = await api.ask("POST", f"{RUNS}/run_none/save-as-task", json={"name": "x"})
    assert missing.json()["type"] == "run-not-found"


async def test_a_task_of_no_remote_follows_its_project(api: ApiServer) -> None:
    await a_task(api)
    before = (await start(api, "nightly"))["source"]["git"]["remote"]
    moved = {"source": {"git": {"remote": f"{before}-moved"}}}
    assert (await api.ask("PATCH", f"{BASE}/demo", json=moved)).status_code == 200
    assert (await start(api, "nightly"))["source"]["git"]["remote"] == f"{before}-moved"


async def test_who_may_only_look_changes_nothing(api: ApiServer) -> None:
    await a_task(api)
    for method, path in (
        ("POST", TASKS),
        ("PUT", f"{TASKS}/nightly"),
        ("PATCH", f"{TASKS}/nightly"),
        ("DELETE", f"{TASKS}/nightly"),
        ("POST", f"{TASKS}/nightly/runs"),
        ("PUT", f"{TASKS}/nightly/triggers"),
        ("POST", APPS),
        ("PUT", f"{APPS}/nightly"),
        ("DELETE", f"{APPS}/nightly"),
    ):
        body = {"name": "nightly", **RUN_BODY} if method in {"POST", "PUT"} else {}
        answer = await api.ask(method, path, key="viewer", json=body)
        assert answer.status_code == 403, (method, path)
        assert (await api.ask(method, path, key="stranger", json=body)).status_code == 404
    assert (await api.ask("GET", f"{TASKS}/nightly", key="viewer")).status_code == 200
