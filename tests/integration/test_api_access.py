"""Who may call what: every route without a key, with each role's, with a stranger's and with a run's."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server
from litestar.routes import HTTPRoute

from daftray.server.app import create_app

DEMO = f"{BASE}/demo"
RUNS = f"{DEMO}/runs"
OPEN_TO_ALL = {"/healthz", "/readyz", "/static/v/NAME", "/v1/hooks/github"}  # the last by its own signature
SIGN_IN = "/sign-in"
"""A page for whoever has not signed in yet."""
OWN_CREDENTIALS = "/v1/auth/"
"""What gives credentials, or takes some of its own, needs none before."""
OF_A_RUN = [
    "",
    "/events",
    "/logs",
    "/logs/tail",
    "/results",
    "/results/preview",
    "/results/download",
    "/problems",
    f"/problems/{'f' * 16}",
    "/source/main.py",
    "/metrics",
    "/metrics/tail",
]
SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


def every_call(api: ApiServer, run: str) -> list[tuple[str, str]]:
    """Return each method and path of the application, its parameters filled in for ``demo`` and a run."""
    values = {"workspace": "default", "project": "demo", "run": run, "name": "NAME", "path": "x"}
    values |= {"fingerprint": "f" * 16, "version": "v"}
    values["secret_of_path"] = "x" * 16
    values |= dict.fromkeys(("data_source", "catalog", "task", "app", "key", "user"), "none")
    routes = [route for route in create_app(api.services).routes if isinstance(route, HTTPRoute)]
    return [
        (method, re.sub(":[a-z]+}", "}", route.path).format(**values))
        for route in routes
        for method in route.methods - {"OPTIONS"}
    ]


async def test_all_but_health_is_closed_without_a_valid_key(api: ApiServer) -> None:
    calls = every_call(api, (await api.create_run())["id"])
    assert ("POST", RUNS) in calls
    for key in (None, "drk.key_0.wrong", "nonsense"):
        answers = {path: (await api.ask(method, path, key=key)).status_code for method, path in calls}
        opened = {path for path, status in answers.items() if status != 401}
        opened -= {SIGN_IN}
        assert {path for path in opened if not path.startswith(OWN_CREDENTIALS)} == OPEN_TO_ALL


async def test_a_runs_token_is_refused_by_every_route_of_people(api: ApiServer) -> None:
    run = await api.create_run()
    calls = [(method, path) for method, path in every_call(api, run["id"]) if path.startswith("/v1/work")]
    assert len(calls) > 15
    for method, path in calls:
        answer = await api.ask(method, path, key=api.token(run), json={})
        assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), (method, path)


async def test_an_admin_is_refused_by_every_route_of_runs_and_so_is_another_run(api: ApiServer) -> None:
    run, other = await api.create_run(), await api.create_run()
    calls = [(method, path) for method, path in every_call(api, run["id"]) if path.startswith("/v1/ingest")]
    calls = [(method, path) for method, path in calls if not path.startswith("/v1/ingest/ray/")]
    assert len(calls) == 8
    for method, path in calls:
        assert (await api.ask(method, path, json={})).status_code == 403, (method, path)
        if run["id"] in path:
            assert (await api.ask(method, path, key=api.token(other), json={})).status_code == 401, path


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", BASE, "viewer"),
        ("GET", DEMO, "viewer"),
        ("GET", f"{DEMO}/secrets", "viewer"),
        ("POST", RUNS, "runner"),
        ("POST", f"{RUNS}/run_none/cancel", "runner"),
        ("POST", f"{RUNS}/run_none/rerun", "runner"),
        ("POST", BASE, "admin"),
        ("PATCH", DEMO, "admin"),
        ("PUT", f"{DEMO}/secrets/NAME", "admin"),
        ("DELETE", f"{DEMO}/secrets/NAME", "admin"),
        ("DELETE", DEMO, "admin"),
    ],
)
async def test_a_role_may_do_what_it_is_for_and_no_more(
    api: ApiServer, method: str, path: str, least: str
) -> None:
    roles = ["viewer", "runner", "admin"]
    for role in roles:
        refused = (await api.ask(method, path, key=role, json={})).status_code == 403
        assert refused == (roles.index(role) < roles.index(least)), role


@pytest.mark.parametrize("part", OF_A_RUN)
async def test_a_foreign_run_answers_as_one_that_is_not_there(api: ApiServer, part: str) -> None:
    run = await api.create_run()
    source = {"git": {"remote": api.repo.url}}
    assert (await api.ask("POST", BASE, json={"name": "other", "source": source})).status_code == 201
    foreign = await api.ask("GET", f"{BASE}/other/runs/{run['id']}{part}")
    absent = await api.ask("GET", f"{BASE}/other/runs/run_none{part}")
    for answer in (foreign, absent):
        assert (answer.status_code, answer.json()["type"]) == (404, "run-not-found")
    outside = await api.ask("GET", f"{RUNS}/{run['id']}{part}", key="stranger")
    assert (outside.status_code, outside.json()["type"]) == (404, "workspace-not-found")


@pytest.mark.parametrize("act", ["cancel", "rerun"])
async def test_nobody_acts_on_a_foreign_run(api: ApiServer, act: str) -> None:
    run = await api.create_run()
    source = {"git": {"remote": api.repo.url}}
    assert (await api.ask("POST", BASE, json={"name": "other", "source": source})).status_code == 201
    assert (await api.ask("POST", f"{BASE}/other/runs/{run['id']}/{act}", json={})).status_code == 404
    assert (await api.ask("POST", f"{RUNS}/{run['id']}/{act}", key="stranger", json={})).status_code == 404
    assert (await api.stored(run)).cancel_requested_at is None


async def test_a_key_may_come_in_a_header_of_its_own_but_not_as_a_password(api: ApiServer) -> None:
    key = api.keys["viewer"]
    assert (await api.http.get(RUNS, headers={"X-API-Key": key})).status_code == 200
    assert (await api.http.get(RUNS, headers={"Authorization": f"Basic {key}"})).status_code == 401
    refused = await api.http.get(RUNS, params={"api_key": key})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("GET", RUNS, "admin", 200),
        ("GET", RUNS, None, 401),
        ("POST", RUNS, "viewer", 403),
        ("GET", "/nowhere", "admin", 404),
        ("GET", f"{BASE}/nowhere", "admin", 404),
        ("DELETE", RUNS, "admin", 405),
        ("POST", RUNS, "admin", 400),
        ("GET", "/healthz", None, 200),
    ],
)
async def test_every_answer_is_safe_to_open_in_a_browser(
    api: ApiServer, method: str, path: str, key: str | None, status: int
) -> None:
    answer = await api.ask(method, path, key=key)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE


async def test_a_request_larger_than_it_may_be_is_refused(api: ApiServer) -> None:
    large = {**RUN_BODY, "name": "x", "source": {"git": {"patch": "x" * (11 << 20)}}}
    refused = await api.ask("PATCH", DEMO, json=large)
    assert (refused.status_code, refused.json()["type"]) == (413, "too-large")
