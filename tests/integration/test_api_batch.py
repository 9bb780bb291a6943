"""Many runs in one call: all of them or none, each refusal at its place, and never twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_over_http import api_over_http
from api_server import BASE, RUN_BODY, ApiServer

RUNS = f"{BASE}/demo/runs"
BATCH = f"{BASE}/demo/runs:batch"
MOST = 1000
NO_ENTRYPOINT: dict[str, Any] = {"entrypoint": {}}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


async def send(api: ApiServer, body: object, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await api.ask("POST", BATCH, key="runner", json=body, headers=headers)


def made(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 201, answer.text
    return answer.json()["run_ids"]


def issues(answer: httpx.Response) -> dict[str, str]:
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input"), answer.text
    return {issue["path"]: issue["message"] for issue in answer.json()["errors"]}


async def newest(api: ApiServer) -> list[dict[str, Any]]:
    return (await api.ask("GET", RUNS, params={"limit": 200})).json()["runs"]


async def test_the_ids_come_in_the_order_of_the_request_which_is_that_of_the_queue(api: ApiServer) -> None:
    ids = made(await send(api, {"runs": [{**RUN_BODY, "name": f"n{n}"} for n in range(50)]}))
    runs = await newest(api)
    assert [run["id"] for run in runs] == ids[::-1]
    assert [run["name"] for run in runs] == [f"n{n}" for n in reversed(range(50))]


async def test_a_run_of_many_is_like_one_that_was_made_alone(api: ApiServer) -> None:
    asked = {
        **RUN_BODY,
        "labels": {"a": "b"},
        "secrets": {"OWN": "long-enough"},
        "source": {"git": {"ref": "main", "patch": "diff"}},
        "environment": {"dependencies": ["six >= 1"]},
        "retries": {"max": 2, "on": ["user_error"]},
        "priority": -7,
        "timeout_s": 1.5,
    }
    (batched,) = made(await send(api, {"runs": [asked]}))
    alone = await api.create_run(**asked)
    own = ("id", "created_at", "phase_since", "created_by")  # the other was made with another key
    one, other = [(await api.ask("GET", f"{RUNS}/{run}")).json() for run in (batched, alone["id"])]
    assert {**one, **dict.fromkeys(own)} == {**other, **dict.fromkeys(own)}
    assert one["secret_names"] == ["OWN"]


async def test_one_that_is_wrong_is_enough_for_none_and_every_issue_is_told(api: ApiServer) -> None:
    runs = [
        RUN_BODY,
        {**RUN_BODY, "environment": {"dependencies": ["six", "-e ."]}},
        RUN_BODY,
        NO_ENTRYPOINT,
        {**RUN_BODY, "environment": {"environment_variables": {"DAFTRAY_RUN_TOKEN": "x"}}},
    ]
    found = issues(await send(api, {"runs": runs}))
    assert list(found) == [
        "runs[1].environment.dependencies[1]",
        "runs[3].entrypoint",
        "runs[4].environment.environment_variables.DAFTRAY_RUN_TOKEN",
    ]
    assert await newest(api) == []


async def test_what_they_bring_along_is_looked_at_before_one_is_made(api: ApiServer) -> None:
    runs = [
        {**RUN_BODY, "source": {"git": {"bundle": "%"}}},
        {**RUN_BODY, "source": {"git": {"remote": "ext::sh"}}},
        {**RUN_BODY, "source": {"git": {"patch": "blob:" + "a" * 64}}},
        {**RUN_BODY, "source": {"directory": {"path": "x"}}},
        {**RUN_BODY, "secrets": {"PIN": "123"}},
        {**RUN_BODY, "labels": {"large": "x" * 600_000}},
    ]
    found = issues(await send(api, {"runs": runs}))
    assert list(found) == [
        "runs[0].source.git.bundle",
        "runs[1]",
        "runs[2].source.git.patch",
        "runs[4].secrets.PIN",
        "runs[5]",
    ]
    assert "remote helper" in found["runs[1]"]
    assert "object store" in found["runs[5]"]
    assert await newest(api) == []


async def test_a_batch_of_one_is_still_a_batch(api: ApiServer) -> None:
    assert list(issues(await send(api, {"runs": [NO_ENTRYPOINT]}))) == ["runs[0].entrypoint"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"runs": [RUN_BODY, RUN_BODY, RUN_BODY, {**RUN_BODY, "gpus": 1}]}, "runs[3].gpus"),
        (
            {"runs": [{"entrypoint": {"file": {"file_path": "a.py", "args": []}}}]},
            "runs[0].entrypoint.file.args",
        ),
        ({"runs": [RUN_BODY, {**RUN_BODY, "retries": {"max": 1, "times": 2}}]}, "runs[1].retries.times"),
        ({"runs": [RUN_BODY], "atomic": True}, "atomic"),
        ({"runs": [RUN_BODY, {**RUN_BODY, "priority": 101}]}, "runs[1].priority"),
        ({"runs": [RUN_BODY, {**RUN_BODY, "retries": {"max": -1}}]}, "runs[1].retries.max"),
        ({"runs": [RUN_BODY, 3]}, "runs[1]"),
        ({"runs": [RUN_BODY, {}]}, "runs[1]"),
        ({"runs": {"0": RUN_BODY}}, "runs"),
        ({"runs": None}, "runs"),
        ({"runs": []}, "runs"),
        ({"runs": [RUN_BODY] * (MOST + 1)}, "runs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_body_that_is_not_right_is_refused_where_it_is_wrong(
    api: ApiServer, body: dict[str, Any], path: str
) -> None:
    assert list(issues(await send(api, body))) == [path]
    assert await newest(api) == []


@pytest.mark.parametrize("body", [{}, [], [RUN_BODY], "runs", None])
async def test_a_body_of_another_form_is_refused(api: ApiServer, body: object) -> None:
    answer = await send(api, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")
    assert "runs" in answer.text or body != {}


async def test_a_thousand_are_made_once_however_often_they_are_sent(api: ApiServer) -> None:
    body = {"runs": [{**RUN_BODY, "labels": {"n": str(n)}} for n in range(MOST)]}
    first = made(await send(api, body, key="nightly"))
    assert (len(set(first)), first) == (MOST, sorted(first))
    assert made(await send(api, body, key="nightly")) == first
    body["runs"].pop()
    answer = await send(api, body, key="nightly")
    assert (answer.status_code, answer.json()["type"]) == (409, "idempotency-key-reused")
    oldest = (await api.ask("GET", RUNS, params={"limit": 1, "offset": MOST - 1})).json()["runs"]
    assert [run["id"] for run in oldest] == first[:1]
    assert (await api.ask("GET", RUNS, params={"offset": MOST})).json()["runs"] == []


async def test_many_senders_of_one_batch_make_it_once(api: ApiServer) -> None:
    body = {"runs": [RUN_BODY] * 5}
    answers = await asyncio.gather(*(send(api, body, key="once") for _ in range(20)))
    assert len({json.dumps(made(answer)) for answer in answers}) == 1
    assert len(await newest(api)) == 5


async def test_who_may_only_look_makes_none(api: ApiServer) -> None:
    for key, status in (("viewer", 403), ("stranger", 404), (None, 401)):
        answer = await api.ask("POST", BATCH, key=key, json={"runs": [RUN_BODY]})
        assert answer.status_code == status
    assert await newest(api) == []
