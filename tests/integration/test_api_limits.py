"""What bounds a run and a project, over HTTP: priority, deadlines, retries, ``max_running``."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_over_http import api_over_http
from api_server import BASE, RUN_BODY, ApiServer

from daftray.domain.status import FailureReason

RUNS = f"{BASE}/demo/runs"
JSON = {"Content-Type": "application/json"}
MONTH_S = 30 * 24 * 3600
BOUNDS: dict[str, Any] = {
    "priority": -100,
    "queue_timeout_s": 0.001,
    "start_timeout_s": 600.0,
    "timeout_s": float(MONTH_S),
    "retries": {"max": 20, "on": [reason.value for reason in FailureReason], "backoff": 3600.0},
}
HOSTILE = [
    *(("priority", value) for value in (-101, 101, 10**30, -(10**30), 0.5, True, None, [], "high")),
    *(
        (name, value)
        for name in ("queue_timeout_s", "start_timeout_s", "timeout_s")
        for value in (0, -0.0, -1, MONTH_S + 1, 1e308, 10**400, True, "1h", "nan", [1], {})
    ),
    *(("retries", value) for value in (3, "3", [], True, {})),
    *(("retries.max", value) for value in (0, -1, 21, 10**30, 1.5, None, "two", True)),
    *(("retries.backoff", value) for value in (-1, -1e-9, 3601, 1e308, None, "10s", False)),
    *(("retries.on", value) for value in ("killed", 3, {"killed": True})),
    *(("retries.on[0]", [value]) for value in ("boom", "", "KILLED", " killed", 3, None, ["killed"])),
    ("retries.on[1]", ["killed", "succeeded"]),
    ("retries.times", 2),
    ("timeout", 5),
]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


def paths(answer: httpx.Response) -> list[str]:
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input"), answer.text
    assert all(issue["message"] for issue in answer.json()["errors"])
    return [issue["path"] for issue in answer.json()["errors"]]


def body_with(path: str, value: object) -> dict[str, Any]:
    field, _, part = path.partition(".")
    return {field: {"max": 1, part.partition("[")[0]: value}} if part else {field: value}


async def test_what_a_run_is_bounded_by_is_kept_as_it_was_asked(api: ApiServer) -> None:
    run = await api.create_run(**BOUNDS)
    kept = (await api.ask("GET", f"{RUNS}/{run['id']}")).json()
    assert {name: kept[name] for name in BOUNDS} == BOUNDS
    again = (await api.ask("POST", f"{RUNS}/{run['id']}/rerun")).json()["run"]
    assert {name: again[name] for name in BOUNDS} == BOUNDS


async def test_a_run_that_names_no_bounds_has_none_of_its_own(api: ApiServer) -> None:
    run = await api.create_run()
    assert {run[name] for name in BOUNDS if name != "priority"} == {None}
    assert run["priority"] == 0
    bounded = await api.create_run(retries={"max": 1})
    assert bounded["retries"] == {"max": 1, "on": None, "backoff": 10.0}


async def test_a_rerun_can_take_bounds_away(api: ApiServer) -> None:
    run = await api.create_run(**BOUNDS)
    free = {name: None for name in BOUNDS if name != "priority"}
    again = (await api.ask("POST", f"{RUNS}/{run['id']}/rerun", json={**free, "priority": 0})).json()["run"]
    assert {name: again[name] for name in BOUNDS} == {**free, "priority": 0}


async def test_no_value_out_of_bounds_makes_a_run(api: ApiServer) -> None:
    run = (await api.create_run())["id"]
    for path, value in HOSTILE:
        body = body_with(path, value)
        where = {
            "create": paths(await api.ask("POST", RUNS, json={**RUN_BODY, **body})),
            "rerun": paths(await api.ask("POST", f"{RUNS}/{run}/rerun", json=body)),
            "batch": paths(
                await api.ask("POST", f"{RUNS}:batch", json={"runs": [RUN_BODY, {**RUN_BODY, **body}]})
            ),
        }
        expected = {"create": [path], "rerun": [path], "batch": [f"runs[1].{path}"]}
        assert where == expected, (path, value)
    assert [one["id"] for one in (await api.ask("GET", RUNS)).json()["runs"]] == [run]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x10", "1_000", "01"])
async def test_what_is_no_number_in_json_is_no_body(api: ApiServer, number: str) -> None:
    run = (await api.create_run())["id"]
    field = f'"timeout_s": {number}}}'
    whole = json.dumps(RUN_BODY)[:-1] + ", " + field
    for path, body in (
        (RUNS, whole),
        (f"{RUNS}/{run}/rerun", "{" + field),
        (f"{RUNS}:batch", f'{{"runs": [{whole}]}}'),
    ):
        answer = await api.ask("POST", path, content=body, headers=JSON)
        assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input"), answer.text
        assert answer.json()["detail"]


async def test_a_projects_bound_is_set_and_taken_away(api: ApiServer) -> None:
    body = {"name": "small", "source": {"git": {"remote": api.repo.url}}, "max_running": 2}
    assert (await api.ask("POST", BASE, json=body)).json()["max_running"] == 2
    assert (await api.ask("GET", f"{BASE}/demo")).json()["max_running"] is None

    async def patch(**fields: object) -> int | None:
        answer = await api.ask("PATCH", f"{BASE}/small", json=fields)
        assert answer.status_code == 200, answer.text
        kept = (await api.ask("GET", f"{BASE}/small")).json()
        assert kept == answer.json()
        return kept["max_running"]

    assert await patch(max_running=7) == 7
    assert await patch(name="small") == 7
    assert await patch(max_running=None) is None
    assert await patch(max_running=100_000) == 100_000


@pytest.mark.parametrize("value", [0, -1, 100_001, 10**30, 1.5, True, "many", [], {}])
async def test_a_projects_bound_out_of_bounds_is_refused(api: ApiServer, value: object) -> None:
    body = {"name": "small", "source": {"git": {"remote": api.repo.url}}, "max_running": value}
    assert paths(await api.ask("POST", BASE, json=body)) == ["max_running"]
    assert paths(await api.ask("PATCH", f"{BASE}/demo", json={"max_running": value})) == ["max_running"]
    assert (await api.ask("GET", f"{BASE}/demo")).json()["max_running"] is None
    assert (await api.ask("GET", f"{BASE}/small")).status_code == 404


async def test_only_who_may_change_a_project_bounds_it(api: ApiServer) -> None:
    answer = await api.ask("PATCH", f"{BASE}/demo", key="runner", json={"max_running": 1})
    assert answer.status_code == 403
