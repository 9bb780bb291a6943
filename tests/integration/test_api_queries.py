"""What people ask for over HTTP: filters and bodies, and how each is refused when it makes no sense."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server

from daftray.api.problems import MEDIA_TYPE
from daftray.domain.errors import StoreUnavailableError

DEMO = f"{BASE}/demo"
RUNS = f"{DEMO}/runs"
VALUE = "correct-horse-battery"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


def refusal(answer: Any) -> tuple[int, str, list[str]]:
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"]
    return answer.status_code, body["type"], [issue["path"] for issue in body["errors"]]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("offset=10000001", "offset"),
        ("status=", "status"),
        ("label=a=1&label=a=2", "label"),
        ("created_after=2026-01-01", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("created_before=2026-01-01T00:00:00", "created_before"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_named(api: ApiServer, query: str, path: str) -> None:
    assert refusal(await api.ask("GET", f"{RUNS}?{query}")) == (400, "invalid-input", [path])


@pytest.mark.parametrize(
    "query",
    ["created_before=0001-01-01T00:00:00%2B23:00", "cursor=%00", "q=%00", "q=%ff", "q=%25_", "label=="],
)
async def test_no_filter_makes_the_server_fail(api: ApiServer, query: str) -> None:
    await api.create_run()
    assert (await api.ask("GET", f"{RUNS}?{query}")).status_code in {200, 400}


async def test_runs_are_found_by_time_and_trigger_and_by_all_labels_at_once(api: ApiServer) -> None:
    old = await api.create_run(labels={"team": "a", "tier": "1"})
    new = await api.create_run(labels={"team": "a", "tier": "2"})

    async def found(**query: Any) -> list[str]:
        return [run["id"] for run in (await api.ask("GET", RUNS, params=query)).json()["runs"]]

    assert await found(created_before=new["created_at"]) == [old["id"]]
    assert await found(created_after="2100-01-01T00:00:00Z") == []
    assert await found(trigger="manual") == [new["id"], old["id"]]
    assert await found(trigger="schedule") == []
    assert await found(label=["team=a", "tier=2"]) == [new["id"]]
    assert await found(label=["team=a", "tier=3"]) == []
    assert await found(q="main.py") == [new["id"], old["id"]]
    assert await found(limit=1, offset=1) == [old["id"]]


async def test_pages_by_cursor_neither_lose_nor_repeat_a_run_that_comes_meanwhile(api: ApiServer) -> None:
    made = [(await api.create_run())["id"] for _ in range(4)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = (await api.ask("GET", RUNS, params={"limit": 2, **cursor})).json()
        seen += [run["id"] for run in page["runs"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        await api.create_run()
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"environment": {"pip": ["six"]}}, ["environment.pip"]),
        ({"entrypoint": {"file": {"file_path": "a.py", "args": []}}}, ["entrypoint.file.args"]),
        ({"source": {"git": {"brunch": "main"}}, "gpus": 1}, ["source.git.brunch", "gpus"]),
        ({"name": 3}, ["name"]),
        ([], [""]),
    ],
)
async def test_a_rerun_is_as_strict_as_the_run_was(api: ApiServer, body: Any, paths: list[str]) -> None:
    run = await api.create_run()
    answer = await api.ask("POST", f"{RUNS}/{run['id']}/rerun", json=body)
    assert refusal(answer) == (400, "invalid-input", paths)
    assert (await api.ask("POST", f"{RUNS}/{run['id']}/rerun")).status_code == 201


async def test_a_rerun_overrides_whole_fields_and_keeps_the_others(api: ApiServer) -> None:
    run = await api.create_run(labels={"a": "b"}, environment={"dependencies": ["six"]})
    body = {"environment": {"environment_variables": {"A": "1"}}, "secrets": {"OWN": VALUE}}
    answer = await api.ask("POST", f"{RUNS}/{run['id']}/rerun", json=body, key="runner")
    again = answer.json()["run"]
    assert again["environment"]["environment_variables"] == {"A": "1"}
    assert again["environment"]["dependencies"] == []
    assert (again["labels"], again["entrypoint"]) == (run["labels"], run["entrypoint"])
    assert again["secret_names"] == ["OWN"]
    assert again["created_by"] != run["created_by"]
    assert VALUE not in answer.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x", "source": {"git": {"remote": "ext::sh -c id"}}}, (400, "source-refused", [])),
        ({"name": "x", "source": {"git": {"remote": "--upload-pack=id"}}}, (400, "source-refused", [])),
        ({"name": "x", "source": {"git": {"remote": ""}}}, (400, "invalid-input", ["source.git.remote"])),
        ({"name": "x", "source": {}}, (400, "invalid-input", ["source"])),
        ({"name": "a b", "source": {"git": {"remote": "r"}}}, (400, "invalid-input", ["name"])),
        (
            {"name": "x", "source": {"git": {"remote": "r", "x": 1}}, "y": 2},
            (400, "invalid-input", ["source.git.x", "y"]),
        ),
    ],
)
async def test_a_project_that_cannot_be_is_refused(
    api: ApiServer, body: dict[str, Any], expected: tuple[int, str, list[str]]
) -> None:
    assert refusal(await api.ask("POST", BASE, json=body)) == expected
    assert len((await api.ask("GET", BASE)).json()["projects"]) == 1


async def test_a_project_is_changed_field_by_field_and_not_to_what_is_taken(api: ApiServer) -> None:
    other = {"name": "other", "source": {"git": {"remote": api.repo.url}}}
    made = (await api.ask("POST", BASE, json=other)).json()
    assert refusal(await api.ask("PATCH", f"{BASE}/other", json={"name": "demo"}))[:2] == (409, "name-taken")
    assert refusal(await api.ask("PATCH", f"{BASE}/other", json={"nmae": "y"}))[2] == ["nmae"]
    source = {"git": {"remote": "ext::sh"}}
    assert refusal(await api.ask("PATCH", f"{BASE}/other", json={"source": source}))[1] == "source-refused"
    assert (await api.ask("PATCH", f"{BASE}/other", json={})).json() == made
    source = {"git": {"remote": api.repo.url, "branch": "next"}}
    changed = (await api.ask("PATCH", f"{BASE}/{made['id']}", json={"source": source})).json()
    assert (changed["name"], changed["source"]["git"]["branch"]) == ("other", "next")


async def test_projects_are_listed_by_name_in_pages(api: ApiServer) -> None:
    for name in ("b", "a"):
        await api.ask("POST", BASE, json={"name": name, "source": {"git": {"remote": api.repo.url}}})
    pages = [(await api.ask("GET", f"{BASE}?limit=2&offset={offset}")).json() for offset in (0, 2)]
    assert [[one["name"] for one in page["projects"]] for page in pages] == [["a", "b"], ["demo"]]
    assert [page["page"] for page in pages] == [1, 2]
    assert refusal(await api.ask("GET", f"{BASE}?limit=0"))[2] == ["limit"]
    elsewhere = await api.ask("GET", "/v1/workspaces/other/projects")
    assert refusal(elsewhere)[:2] == (404, "workspace-not-found")


async def test_a_project_with_a_run_that_goes_on_stays(api: ApiServer) -> None:
    run = await api.create_run()
    assert refusal(await api.ask("DELETE", DEMO))[:2] == (409, "conflict")
    assert (await api.ask("GET", f"{RUNS}/{run['id']}")).status_code == 200


@pytest.mark.parametrize(
    ("name", "body", "path"),
    [
        ("A", {"value": "abc"}, "secrets.A"),
        ("A", {"value": f"{VALUE}\0"}, "secrets.A"),
        ("A", {"value": VALUE, "note": 1}, "note"),
        ("A", {"value": [VALUE]}, "value"),
        ("A", {}, ""),
        ("9", {"value": VALUE}, "name"),
    ],
)
async def test_a_secret_that_cannot_be_kept_is_refused_without_its_value(
    api: ApiServer, name: str, body: dict[str, Any], path: str
) -> None:
    answer = await api.ask("PUT", f"{DEMO}/secrets/{name}", json=body)
    code, kind, paths = refusal(answer)
    assert (code, kind) == (400, "invalid-input")
    assert paths == [path]
    assert VALUE not in answer.text
    assert (await api.ask("GET", f"{DEMO}/secrets")).json()["secrets"] == []


async def test_the_server_is_not_ready_without_its_database(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ping() -> None:
        raise StoreUnavailableError

    monkeypatch.setattr(api.services.database, "ping", ping)
    answer = await api.ask("GET", "/readyz", key=None)
    assert (answer.status_code, answer.json()["database"]) == (503, False)
    assert (await api.ask("GET", "/healthz", key=None)).json()["status"] == "ok"


async def test_a_body_is_json_whatever_it_says_it_is(api: ApiServer) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/x-msgpack"):
        answer = await api.ask("POST", RUNS, content=b"a=b", headers={"Content-Type": kind})
        assert refusal(answer)[:2] == (400, "invalid-input"), kind
    answer = await api.ask(
        "POST", RUNS, content=b'{"entrypoint":{"function":{"module":"m","symbol":"f","args":[NaN]}}}'
    )
    assert refusal(answer)[:2] == (400, "invalid-input")
    assert (await api.ask("POST", RUNS, json=RUN_BODY)).status_code == 201
