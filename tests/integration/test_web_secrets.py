"""A project's secrets in a browser: they go in, and nothing brings them out again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from browsing import Browser, browser, with_person

from daftray.domain.principal import Role

SECRETS = "/projects/default/demo/secrets"
KEY = "-----BEGIN KEY-----\r\nabc\r\n-----END KEY-----\r\n"
VALUE = "hunter2-never-shown"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.ADMIN)
        yield server


async def ada(api: ApiServer) -> Browser:
    found = browser(api)
    await found.sign_in("ada")
    return found


async def kept(api: ApiServer) -> dict[str, str]:
    home = await api.services.projects.get("default", "demo")
    return await api.services.secrets.of_project(home.id)


async def test_a_secret_is_set_replaced_and_deleted_and_never_shown(api: ApiServer) -> None:
    admin = await ada(api)
    assert "No secrets yet" in (await admin.get(SECRETS)).text
    made = await admin.submit(SECRETS, SECRETS, {"name": " DEPLOY_KEY ", "value": KEY})
    assert (made.status_code, made.headers["location"]) == (303, SECRETS)
    assert await kept(api) == {"DEPLOY_KEY": KEY.replace("\r\n", "\n")}
    assert (await admin.submit(SECRETS, SECRETS, {"name": "DEPLOY_KEY", "value": VALUE})).status_code == 303
    page = (await admin.get(SECRETS)).text
    assert "DEPLOY_KEY" in page
    assert "<td>ada</td>" in page
    assert VALUE not in page
    deleted = await admin.submit(SECRETS, f"{SECRETS}/DEPLOY_KEY/delete")
    assert (deleted.status_code, deleted.headers["location"], await kept(api)) == (303, SECRETS, {})
    gone = await admin.send(
        f"{SECRETS}/DEPLOY_KEY/delete", {"csrf_token": (await session(api))["csrf_token"]}
    )
    assert gone.status_code == 404
    entries = (await api.ask("GET", "/v1/audit")).json()["entries"][:3]
    assert [(one["action"], one["target"], one["actor_name"]) for one in entries] == [
        ("secret.delete", "DEPLOY_KEY", "ada"),
        ("secret.set", "DEPLOY_KEY", "ada"),
        ("secret.set", "DEPLOY_KEY", "ada"),
    ]
    assert VALUE not in str(entries)


async def session(api: ApiServer) -> dict[str, str]:
    return (await api.http.get("/v1/auth/session")).json()


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("<script>alert(1)</script>", VALUE, "name"),
        ("", VALUE, "name"),
        ("1st", VALUE, "name"),
        ("DAFTRAY_RUN_ID", VALUE, "value"),
        ("SHORT", "q7%", "value"),
        ("NUL", f"{VALUE}\0", "value"),
        ("LONG", f"{VALUE}{'é' * 65536}", "value"),
    ],
    ids=("script", "nameless", "digit", "reserved", "short", "nul", "long"),
)
async def test_what_is_refused_is_told_beside_the_name_without_the_value(
    api: ApiServer, name: str, value: str, field: str
) -> None:
    admin = await ada(api)
    answer = await admin.submit(SECRETS, SECRETS, {"name": name, "value": value})
    assert (answer.status_code, f'id="wrong-{field}"' in answer.text) == (400, True), answer.text
    assert "<script>" not in answer.text
    assert value.strip("\0") not in answer.text
    if field == "value":
        assert f'value="{name}"' in answer.text
    assert await kept(api) == {}


async def test_others_see_names_and_change_nothing(api: ApiServer) -> None:
    await api.ask("PUT", f"{BASE}/demo/secrets/TOKEN", json={"value": VALUE})
    await with_person(api, "eve", Role.RUNNER)
    admin = await ada(api)
    assert "<td>admin</td>" in (await admin.get(SECRETS)).text
    forged = {"name": "OTHER", "value": VALUE, "csrf_token": "x"}
    assert (await admin.send(SECRETS, forged)).status_code == 403
    eve = browser(api)
    await eve.sign_in("eve")
    page = (await eve.get(SECRETS)).text
    assert "TOKEN" in page
    assert "<td>admin</td>" not in page
    assert 'action="/projects' not in page
    token = (await session(api))["csrf_token"]
    for path, fields in (("", {"name": "OTHER", "value": VALUE}), ("/TOKEN/delete", {})):
        assert (await eve.send(f"{SECRETS}{path}", {**fields, "csrf_token": token})).status_code == 403
    assert await kept(api) == {"TOKEN": VALUE}
