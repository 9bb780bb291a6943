"""Idempotency keys: however often a request is sent, and however many send it, it is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_over_http import api_over_http
from api_server import BASE, RUN_BODY, ApiServer
from factories import COMMIT
from msgspec.structs import replace

from daftray.domain.status import RunPhase

RUNS = f"{BASE}/demo/runs"
AT_ONCE = 20


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


async def post(api: ApiServer, path: str, key: str | bytes | None, body: Any) -> httpx.Response:
    headers = {} if key is None else {b"Idempotency-Key": key.encode() if isinstance(key, str) else key}
    return await api.ask("POST", path, key="runner", json=body, headers=headers)


async def create(api: ApiServer, key: str | bytes | None, **fields: Any) -> httpx.Response:
    return await post(api, RUNS, key, {**RUN_BODY, **fields})


def made(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return answer.json()["run"]["id"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


async def runs_of(api: ApiServer, project: str = "demo") -> list[str]:
    page = (await api.ask("GET", f"{BASE}/{project}/runs")).json()
    return [run["id"] for run in page["runs"]]


async def test_the_same_request_under_the_same_key_is_the_same_run(api: ApiServer) -> None:
    asked = {"labels": {"a": "1", "b": "2"}, "secrets": {"TOKEN": "long-enough"}, "priority": 3}
    first = made(await create(api, "once", **asked))
    turned = {**asked, "labels": {"b": "2", "a": "1"}, "name": None}  # as another program would write it
    assert {made(await create(api, "once", **body)) for body in (asked, turned, asked)} == {first}
    assert await runs_of(api) == [first]


@pytest.mark.parametrize(
    "other",
    [{"name": "other"}, {"priority": 1}, {"secrets": {"TOKEN": "another-value"}}, {"retries": {"max": 1}}],
)
async def test_another_request_under_the_key_is_refused_and_makes_nothing(
    api: ApiServer, other: dict[str, Any]
) -> None:
    first = made(await create(api, "once", secrets={"TOKEN": "long-enough"}))
    answer = await create(api, "once", **other)
    assert refusal(answer) == (409, "idempotency-key-reused")
    assert "choose a new one" in answer.json()["detail"]
    assert await runs_of(api) == [first]


async def test_twenty_callers_with_one_key_make_one_run(api: ApiServer) -> None:
    answers = await asyncio.gather(*(create(api, "once") for _ in range(AT_ONCE)))
    assert len({made(answer) for answer in answers}) == 1
    assert len(await runs_of(api)) == 1


async def test_of_two_requests_at_once_under_one_key_one_is_made_and_the_other_told(api: ApiServer) -> None:
    answers = await asyncio.gather(*(create(api, "once", name=f"n{n % 2}") for n in range(AT_ONCE)))
    found = {answer.json()["run"]["name"] for answer in answers if answer.status_code == 201}
    assert len(found) == 1
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {refusal(answer) for answer in refused} == {(409, "idempotency-key-reused")}
    assert (len(refused), len(await runs_of(api))) == (AT_ONCE // 2, 1)


async def test_a_key_is_its_projects_own(api: ApiServer) -> None:
    other = {"name": "other", "source": {"git": {"remote": api.repo.url}}}
    assert (await api.ask("POST", BASE, json=other)).status_code == 201
    first = made(await create(api, "once"))
    second = made(await post(api, f"{BASE}/other/runs", "once", {**RUN_BODY, "name": "x"}))
    assert first != second
    assert (await runs_of(api), await runs_of(api, "other")) == ([first], [second])


async def test_a_request_that_was_refused_leaves_its_key_free(api: ApiServer) -> None:
    answer = await create(api, "once", entrypoint={})
    assert refusal(answer) == (400, "invalid-input")
    made(await create(api, "once"))


async def test_without_a_key_every_request_is_a_run(api: ApiServer) -> None:
    assert made(await create(api, None)) != made(await create(api, None))


async def test_a_rerun_under_a_key_is_one_run_even_once_the_first_has_its_commit(api: ApiServer) -> None:
    run = made(await create(api, None))
    path = f"{RUNS}/{run}/rerun"
    first = made(await post(api, path, "again", {"name": "n"}))
    await pin(api, run)
    assert made(await post(api, path, "again", {"name": "n"})) == first
    assert refusal(await post(api, path, "again", {"name": "m"})) == (409, "idempotency-key-reused")
    elsewhere = f"{RUNS}/{first}/rerun"
    assert refusal(await post(api, elsewhere, "again", {"name": "n"})) == (409, "idempotency-key-reused")
    assert refusal(await create(api, "again")) == (409, "idempotency-key-reused")
    assert sorted(await runs_of(api)) == sorted([run, first])


async def pin(api: ApiServer, run_id: str) -> None:
    """Give a run its commit, as the reconciler does."""
    context = api.services.reconciler._context
    (run,) = [one for one in await context.runs.claim_due(context.claim, limit=9) if one.id == run_id]
    moved, event = run.advance(RunPhase.QUEUED, context.clock.now())
    await context.runs.save(replace(moved, commit=COMMIT), [event], context.claim)


@pytest.mark.parametrize("key", ["", "x" * 201])
@pytest.mark.parametrize("path", [RUNS, f"{BASE}/demo/runs:batch", f"{RUNS}/RUN/rerun"])
async def test_a_key_of_no_length_or_too_much_is_refused(api: ApiServer, key: str, path: str) -> None:
    run = made(await create(api, None))
    body = {"runs": [RUN_BODY]} if path.endswith("batch") else {} if path.endswith("rerun") else RUN_BODY
    answer = await post(api, path.replace("RUN", run), key, body)
    assert refusal(answer) == (400, "invalid-input")
    assert [issue["path"] for issue in answer.json()["errors"]] == ["idempotency_key"]
    assert await runs_of(api) == [run]


@pytest.mark.parametrize("key", ["x" * 200, "-", "a b", "'; DROP TABLE runs; --", "%00", b"\xe4\xff"])
async def test_a_key_is_any_text(api: ApiServer, key: str | bytes) -> None:
    assert made(await create(api, key)) == made(await create(api, key))
