"""A project's own settings in a browser, how one is made there, and how it goes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_runs import end, run_on
from api_server import BASE, ApiServer
from browsing import browser, with_person

from daftray.domain.principal import Role
from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

SETTINGS = "/projects/default/demo/settings"
NEW = "/new-project/default"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.ADMIN)
        await browser(server).sign_in("ada")
        yield server


async def project(api: ApiServer, name: str = "demo") -> dict[str, Any]:
    return (await api.ask("GET", f"{BASE}/{name}")).json()


def source(remote: str, **more: str) -> dict[str, str]:
    return {f"source.git.{name}": text for name, text in {"remote": remote, **more}.items()}


async def test_all_of_a_project_is_shown(api: ApiServer) -> None:
    prices = {"prices": [{"model": f"gpt-{EVIL}*", "per_request": 0.25}], "note": EVIL}
    assert (await api.ask("PUT", f"{BASE}/demo/prices", json=prices)).status_code == 200
    ada = browser(api)
    before = (await ada.get(SETTINGS)).text
    for text in (
        api.repo.url,
        "as many as the cluster takes",
        "No installation",
        "$0.25",
        "Version 1, by admin",
    ):
        assert text in before, text
    assert "<script>" not in before
    installation = {"github": {"installation_id": 4711}}
    made = await api.ask("POST", "/v1/workspaces/default/integrations", json=installation)
    assert made.status_code == 201, made.text
    assert "4711" in (await ada.get(SETTINGS)).text


async def test_a_project_is_changed_and_what_it_has_stays(api: ApiServer) -> None:
    ada, asked = browser(api), source(api.repo.url, branch="dev", credential="DEPLOY_KEY")
    changed = await ada.submit(SETTINGS, SETTINGS, {"name": "scoring", **asked, "max_running": "2"})
    assert (changed.status_code, changed.headers["location"]) == (303, "/projects/default/scoring/settings")
    now = await project(api, "scoring")
    assert (now["source"]["git"]["branch"], now["source"]["git"]["credential"]) == ("dev", "DEPLOY_KEY")
    assert now["max_running"] == 2
    page = changed.headers["location"]
    shown = (await ada.get(page)).text
    assert 'href="/projects/default/scoring/secrets?name=DEPLOY_KEY"' in shown
    for name, text in (("name", "scoring"), ("source.git.branch", "dev"), ("max_running", "2")):
        assert f'name="{name}" value="{text}"' in shown
    await api.ask("PUT", f"{BASE}/scoring/secrets/DEPLOY_KEY", json={"value": "long enough"})
    assert "which is not set" not in (await ada.get(page)).text
    emptied = source(api.repo.url, branch="", credential="")
    assert (
        await ada.submit(page, page, {"name": "scoring", **emptied, "max_running": ""})
    ).status_code == 303
    now = await project(api, "scoring")
    assert (now["source"]["git"]["branch"], now["max_running"]) == ("main", None)
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"], entry["actor_name"]) == ("project.update", now["id"], "ada")


async def test_a_source_stays_under_its_tag(api: ApiServer) -> None:
    made = {"name": "hub", "source": {"github": {"remote": api.repo.url}}}
    assert (await api.ask("POST", BASE, json=made)).status_code == 201
    page = "/projects/default/hub/settings"
    asked = {"name": "hub", "source.github.remote": api.repo.url, "source.github.branch": "dev"}
    assert (await browser(api).submit(page, page, asked)).status_code == 303
    stored = await api.services.projects.get("default", "hub")
    assert stored.source.git is None
    assert stored.source.github
    assert stored.source.github.branch == "dev"


WRONG: list[tuple[dict[str, str], int, str]] = [
    ({"name": EVIL}, 400, "name"),
    ({"name": "taken"}, 409, "name"),
    ({"name": ""}, 400, "name"),
    ({"source.git.remote": ""}, 400, "source.git.remote"),
    ({"source.git.remote": "ext::sh -c true"}, 400, "source.git.remote"),
    ({"source.git.remote": "https://u:hunter2@host.example/x"}, 400, "source.git.remote"),
    ({"source.git.remote": "https://ghp_hunter2@host.example/x"}, 400, "source.git.remote"),
    ({"max_running": "0"}, 400, "max_running"),
    ({"max_running": f"many{EVIL}"}, 400, "max_running"),
    ({"max_running": "9" * 20}, 400, "max_running"),
]


@pytest.mark.parametrize("page", [SETTINGS, NEW])
async def test_what_is_refused_is_told_beside_its_field(api: ApiServer, page: str) -> None:
    other = {"name": "taken", "source": {"git": {"remote": api.repo.url}}}
    assert (await api.ask("POST", BASE, json=other)).status_code == 201
    before = (await api.ask("GET", BASE)).json()
    for more, status, wrong in WRONG:
        asked = {"name": "kept", **source(api.repo.url, branch="kept-branch"), **more}
        answer = await browser(api).submit(page, page, asked)
        assert (answer.status_code, f'id="wrong-{wrong}"' in answer.text) == (status, True), (
            more,
            answer.text,
        )
        assert 'value="kept-branch"' in answer.text
        assert "<script>" not in answer.text
        assert "hunter2" not in answer.text
    assert (await api.ask("GET", BASE)).json() == before


async def test_a_project_is_made_where_one_may(api: ApiServer) -> None:
    ada = browser(api)
    assert f'href="{NEW}"' in (await ada.get("/projects")).text
    asked = {"name": "scoring", **source(api.repo.url, credential="KEY"), "max_running": "3"}
    made = await ada.submit(NEW, NEW, asked)
    assert made.headers["location"] == "/projects/default/scoring/settings"
    new = await project(api, "scoring")
    assert (new["max_running"], new["source"]["git"]["credential"]) == (3, "KEY")
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"], entry["project"]) == ("project.create", new["id"], new["id"])
    await with_person(api, "rob", Role.ADMIN, project=new["id"])
    await ada.sign_in("rob")
    assert NEW not in (await ada.get("/projects")).text
    token = (await api.http.get("/v1/auth/session")).json()["csrf_token"]
    assert (await ada.send(NEW, {**asked, "name": "more", "csrf_token": token})).status_code == 403
    page = (await ada.get(made.headers["location"])).text
    assert "Change it" in page
    assert "GitHub App" not in page


async def test_a_project_goes_by_its_name_alone_and_not_while_it_runs(api: ApiServer) -> None:
    ada, delete = browser(api), f"{SETTINGS}/delete"
    run = await api.create_run()
    for typed, status, told in (("", 400, "type demo"), (EVIL, 400, "type demo"), ("demo", 409, "")):
        kept = await ada.submit(SETTINGS, delete, {"typed": typed})
        assert (kept.status_code, told in kept.text, "<script>" in kept.text) == (status, True, False)
        assert '<details class="card sure" id="end" open>' in kept.text
    assert (await ada.send(delete, {"typed": "demo"})).status_code == 403
    await run_on(api, run, b"")
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    home = await project(api)
    gone = await ada.submit(SETTINGS, delete, {"typed": "demo"})
    assert (gone.status_code, gone.headers["location"]) == (303, "/projects")
    assert (await ada.get(SETTINGS)).status_code == 404
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"]) == ("project.delete", home["id"])


async def test_others_look_and_change_nothing(api: ApiServer) -> None:
    await with_person(api, "eve", Role.RUNNER)
    before, eve = await project(api), browser(api)
    assert (await eve.send(SETTINGS, {"name": "x", **source(api.repo.url)})).status_code == 403
    await eve.sign_in("eve")
    page = (await eve.get(SETTINGS)).text
    assert api.repo.url in page
    assert "Change it" not in page
    assert 'action="/projects' not in page
    token = (await api.http.get("/v1/auth/session")).json()["csrf_token"]
    for path, fields in ((SETTINGS, {"name": "x"}), (f"{SETTINGS}/delete", {"typed": "demo"}), (NEW, {})):
        assert (await eve.send(path, {**fields, "csrf_token": token})).status_code == 403
    assert await project(api) == before
