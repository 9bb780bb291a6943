"""What is kept of who changed what, and how it is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server
from litestar.routes import HTTPRoute

from daftray.api.audit import AUDIT
from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.domain.errors import StoreUnavailableError
from daftray.server.app import create_app

DEMO = f"{BASE}/demo"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def kept(api: ApiServer, **query: Any) -> list[AuditEntry]:
    """Return what is kept, newest first."""
    return await api.services.people.audit.list(AuditQuery(**query))


UNKEPT = {
    "/projects/{workspace:str}/{project:str}/compare": "leads to a page, and changes nothing",
    **{
        f"/projects/{{workspace:str}}/{{project:str}}/{form}/{path}": "says what a form asks"
        for form in ("new-run", "runs/{run:str}/again", "tasks/{task:str}/start")
        for path in ("look", "same-as")
    },
    "/projects/{workspace:str}/{project:str}/new-run/dependencies": "checks what is typed, and keeps nothing",
    "/v1/auth/device/authorize": "asked by nobody yet; a person's decision about it is kept",
    "/v1/auth/device/token": "what follows from that decision",
    "/v1/hooks/github": "GitHub's word; an installation that it takes out is kept by the route itself",
    "/v1/auth/refresh": "changes nobody's rights",
    "/v1/auth/revoke": "gives up the caller's own token, and says of none whether it was one",
}


async def test_every_route_that_changes_something_says_what(api: ApiServer) -> None:
    silent = {
        f"{handler.http_methods} {route.path}"
        for route in create_app(api.services).routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/v1/ingest/")
        if route.path not in UNKEPT
        for handler in route.route_handlers
        if handler.http_methods - {"GET", "HEAD", "OPTIONS"}
        if len(str(handler.opt.get(AUDIT, "")).split(".")) != 2
    }
    assert not silent


async def test_a_change_is_kept_with_who_made_it_and_from_where(api: ApiServer) -> None:
    run = await api.create_run()
    (entry, _) = await kept(api)
    project = (await api.ask("GET", DEMO)).json()
    admin = api.keys["admin"].split(".")[1]
    assert (entry.action, entry.target) == ("run.create", run["id"])
    assert (entry.workspace, entry.project) == ("default", project["id"])
    assert (entry.actor, entry.actor_name, entry.remote) == (admin, "admin", "127.0.0.1")


async def test_what_is_no_change_and_what_is_refused_is_not_kept(api: ApiServer) -> None:
    before = await kept(api)
    assert (await api.ask("GET", DEMO)).status_code == 200
    assert (await api.ask("PUT", f"{DEMO}/secrets/NAME", json={"value": 3})).status_code == 400
    assert (
        await api.ask("PUT", f"{DEMO}/secrets/NAME", key="viewer", json={"value": "x"})
    ).status_code == 403
    assert (await api.ask("DELETE", f"{DEMO}/secrets/NAME")).status_code == 404
    assert (await api.ask("POST", f"{DEMO}/runs", key=None, json={})).status_code == 401
    assert await kept(api) == before


async def test_a_secret_is_kept_by_name_alone(api: ApiServer) -> None:
    await api.ask("PUT", f"{DEMO}/secrets/NAME", json={"value": "canary"})
    (entry, *_) = await kept(api)
    assert (entry.action, entry.target) == ("secret.set", "NAME")
    assert "canary" not in repr(await kept(api))


async def test_a_change_that_cannot_be_kept_answers_with_an_error(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise StoreUnavailableError

    monkeypatch.setattr(api.services.people.audit, "record", fail)
    answer = await api.ask("PUT", f"{DEMO}/secrets/NAME", json={"value": "canary"})
    assert (answer.status_code, answer.json()["type"]) == (503, "store-unavailable")


async def test_what_was_made_is_named(api: ApiServer) -> None:
    run = await api.create_run()
    source = {"git": {"remote": api.repo.url}}
    task = (await api.ask("POST", f"{DEMO}/tasks", json={"name": "one", **RUN_BODY, "source": source})).json()
    app = (await api.ask("POST", f"{DEMO}/apps", json={"name": "two", **RUN_BODY, "source": source})).json()
    saved = (await api.ask("POST", f"{DEMO}/runs/{run['id']}/save-as-task", json={"name": "three"})).json()
    again = (await api.ask("POST", f"{DEMO}/runs/{run['id']}/rerun", json={})).json()
    started = (await api.ask("POST", f"{DEMO}/tasks/one/runs", json={})).json()
    several = (await api.ask("POST", f"{DEMO}/runs:batch", json={"runs": [RUN_BODY, RUN_BODY]})).json()
    github = {"github": {"installation_id": "77"}}
    integrations = "/v1/workspaces/default/integrations"
    recorded = (await api.ask("POST", integrations, json=github)).json()
    await api.ask("DELETE", integrations, json=github)
    targets = [(entry.action, entry.target) for entry in await kept(api)]
    assert targets[:8] == [
        ("integration.delete", "github:77"),
        ("integration.create", recorded["id"]),
        ("run.create_many", f"{several['run_ids'][0]} and 1 more"),
        ("task.start", started["run"]["id"]),
        ("run.rerun", again["run"]["id"]),
        ("task.create", saved["id"]),
        ("task.create", app["app"]["id"]),
        ("task.create", task["id"]),
    ]
