"""The HTTP interface: what it answers, what it refuses and how, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server

from daftray.api import health
from daftray.api.problems import MEDIA_TYPE
from daftray.domain.cluster import ClusterInfo

RUNS = f"{BASE}/demo/runs"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


def problem(answer: Any) -> tuple[int, str, list[str]]:
    assert answer.headers["content-type"].startswith(MEDIA_TYPE), answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"], [issue["path"] for issue in body["errors"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**RUN_BODY, "gpus": 1}, (400, "invalid-input", ["gpus"])),
        (
            {"entrypoint": {"file": {"file_path": "a.py", "x": 1}}},
            (400, "invalid-input", ["entrypoint.file.x"]),
        ),
        ({"entrypoint": {}}, (400, "invalid-input", ["entrypoint"])),
        ({"entrypoint": {"file": {"file_path": 3}}}, (400, "invalid-input", ["entrypoint.file.file_path"])),
        (
            {"entrypoint": {"file": {"file_path": "../x"}}},
            (400, "invalid-input", ["entrypoint.file.file_path"]),
        ),
        ({**RUN_BODY, "source": {"git": {"hash": "a", "ref": "b"}}}, (400, "invalid-input", ["source.git"])),
        ({**RUN_BODY, "source": {"git": {"bundle": "%"}}}, (400, "invalid-input", ["source.git.bundle"])),
        ({**RUN_BODY, "source": {"git": {"remote": "ext::sh"}}}, (400, "source-refused", [])),
        (
            {**RUN_BODY, "environment": {"dependencies": ["six", "-e ."]}},
            (400, "dependencies-invalid", ["environment.dependencies[1]"]),
        ),
        (
            {**RUN_BODY, "environment": {"environment_variables": {"DAFTRAY_RUN_TOKEN": "x"}}},
            (400, "invalid-input", ["environment.environment_variables.DAFTRAY_RUN_TOKEN"]),
        ),
        ({**RUN_BODY, "secrets": {"PIN": "123"}}, (400, "invalid-input", ["secrets.PIN"])),
    ],
)
async def test_a_run_that_cannot_be_is_refused_where_it_is_wrong(
    api: ApiServer, body: dict[str, Any], expected: tuple[int, str, list[str]]
) -> None:
    assert problem(await api.ask("POST", RUNS, json=body)) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
async def test_a_body_that_is_no_object_is_refused(api: ApiServer, body: bytes) -> None:
    assert problem(await api.ask("POST", RUNS, content=body))[:2] == (400, "invalid-input")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=999", "offset=-1", "status=lost", "label=x", "created_after=x"]
)
async def test_a_query_out_of_bounds_is_refused(api: ApiServer, query: str) -> None:
    assert problem(await api.ask("GET", f"{RUNS}?{query}"))[:2] == (400, "invalid-input")


async def test_runs_are_listed_newest_first_page_by_page_and_found_by_what_they_are(api: ApiServer) -> None:
    made = [(await api.create_run(name=f"n{n}", labels={"n": str(n % 2)}))["id"] for n in range(5)]
    first = (await api.ask("GET", f"{RUNS}?limit=2")).json()
    rest = (await api.ask("GET", f"{RUNS}?limit=9&cursor={first['next_cursor']}")).json()
    assert [run["id"] for run in [*first["runs"], *rest["runs"]]] == made[::-1]
    assert (first["page"], first["page_size"], rest["next_cursor"]) == (1, 2, None)
    odd = (await api.ask("GET", f"{RUNS}?label=n=1")).json()["runs"]
    assert [run["name"] for run in odd] == ["n3", "n1"]
    assert [run["name"] for run in (await api.ask("GET", f"{RUNS}?q=n4")).json()["runs"]] == ["n4"]
    assert (await api.ask("GET", f"{RUNS}?status=running")).json()["runs"] == []


async def test_cancel_twice_and_rerun_with_another_name(api: ApiServer) -> None:
    run = await api.create_run(secrets={"OWN": "own-secret"}, labels={"a": "b"})
    for _ in range(2):
        assert (await api.ask("POST", f"{RUNS}/{run['id']}/cancel")).status_code == 200
    again = (await api.ask("POST", f"{RUNS}/{run['id']}/rerun", json={"name": "again"})).json()["run"]
    assert (again["rerun_of"], again["name"], again["labels"]) == (run["id"], "again", {"a": "b"})
    assert again["secret_names"] == ["OWN"]
    assert problem(await api.ask("POST", f"{RUNS}/{run['id']}/rerun", json={"nmae": 1}))[2] == ["nmae"]
    history = (await api.ask("GET", f"{RUNS}/{run['id']}/events")).json()["events"]
    assert [(event["from"], event["phase"]) for event in history] == [("pending", "pinning")]


async def test_what_a_caller_may_not_see_does_not_exist(api: ApiServer) -> None:
    run = await api.create_run()
    other = {"name": "other", "source": {"git": {"remote": api.repo.url}}}
    assert (await api.ask("POST", BASE, json=other)).status_code == 201
    foreign = await api.ask("GET", f"{BASE}/other/runs/{run['id']}")
    absent = await api.ask("GET", f"{BASE}/other/runs/run_none")
    assert problem(foreign)[:2] == problem(absent)[:2] == (404, "run-not-found")
    assert problem(await api.ask("GET", RUNS, key="stranger"))[:2] == (404, "workspace-not-found")
    assert problem(await api.ask("GET", f"{BASE}/nowhere/runs"))[:2] == (404, "project-not-found")


async def test_roles(api: ApiServer) -> None:
    assert problem(await api.ask("POST", RUNS, key="viewer", json=RUN_BODY))[:2] == (403, "forbidden")
    assert (await api.ask("GET", RUNS, key="viewer")).status_code == 200
    secret = f"{BASE}/demo/secrets/NAME"
    assert problem(await api.ask("PUT", secret, key="runner", json={"value": "long enough"}))[:2] == (
        403,
        "forbidden",
    )
    assert problem(await api.ask("GET", RUNS, key="drk.key_0.wrong"))[:2] == (401, "unauthenticated")
    assert problem(await api.ask("GET", RUNS, key=None))[:2] == (401, "unauthenticated")


async def test_secrets_go_in_and_never_come_out(api: ApiServer) -> None:
    path = f"{BASE}/demo/secrets"
    put = await api.ask("PUT", f"{path}/TOKEN", json={"value": "s3cret-value"})
    listed = await api.ask("GET", path)
    assert [secret["name"] for secret in listed.json()["secrets"]] == ["TOKEN"]
    run = await api.create_run(secrets={"OWN": "s3cret-value"})
    got = await api.ask("GET", f"{RUNS}/{run['id']}")
    assert all("s3cret" not in answer.text for answer in (put, listed, got))
    assert (await api.ask("DELETE", f"{path}/TOKEN")).status_code == 204
    assert problem(await api.ask("DELETE", f"{path}/TOKEN"))[:2] == (404, "secret-not-found")
    assert problem(await api.ask("PUT", f"{path}/a-b", json={"value": "long enough"}))[0] == 400


async def test_projects_are_kept_by_name(api: ApiServer) -> None:
    again = {"name": "demo", "source": {"github": {"remote": api.repo.url}}}
    assert problem(await api.ask("POST", BASE, json=again))[:2] == (409, "name-taken")
    assert problem(await api.ask("POST", BASE, json={"name": "x", "source": {}}))[1] == "invalid-input"
    renamed = (await api.ask("PATCH", f"{BASE}/demo", json={"name": "renamed"})).json()
    assert (await api.ask("GET", f"{BASE}/{renamed['id']}")).json()["name"] == "renamed"
    assert (await api.ask("DELETE", f"{BASE}/renamed")).status_code == 204
    assert (await api.ask("GET", BASE)).json()["projects"] == []


async def test_a_cluster_that_hangs_does_not_hang_the_probe(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs() -> ClusterInfo:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(health, "ANSWERS_WITHIN_S", 0.01)
    api.rayjobs.info = hangs
    answer = await asyncio.wait_for(api.ask("GET", "/readyz", key=None), 30)
    assert (answer.status_code, answer.json()["cluster"]) == (200, False)


async def test_health_and_schema(api: ApiServer) -> None:
    assert (await api.ask("GET", "/readyz", key=None)).json() == {
        "status": "ok", "database": True, "cluster": True,
    }  # fmt: skip
    api.rayjobs.unreachable = True
    assert (await api.ask("GET", "/readyz", key=None)).json()["cluster"] is False
    schema = (await api.ask("GET", "/schema/openapi.json")).json()
    assert f"{BASE}/{{project}}/runs".replace("default", "{workspace}") in schema["paths"]
    headers = (await api.ask("GET", RUNS)).headers
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
