"""Members in a browser: who has which role, given, changed and taken, and what is refused."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from browsing import Browser, browser, with_person

from daftray.domain.principal import Role

PAGE = "/projects/default/demo/members"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.ADMIN)
        await with_person(server, "bob")
        yield server


async def ada_of(api: ApiServer) -> Browser:
    ada = browser(api)
    await ada.sign_in("ada")
    return ada


async def roles(api: ApiServer) -> set[tuple[str, str, str]]:
    """Return who has which role where, as the API tells it."""
    found = (await api.ask("GET", "/v1/workspaces/default/members")).json()["members"]
    return {(it["name"], "project" if it["project"] else "workspace", it["role"]) for it in found}


async def give(page: Browser, **fields: str) -> httpx.Response:
    token = re.search(r'name="csrf_token" value="([^"]+)"', (await page.get("/projects")).text)
    assert token
    return await page.send(PAGE, {"csrf_token": token[1], **fields})


async def newest_entry(api: ApiServer) -> dict[str, str | None]:
    return (await api.ask("GET", "/v1/audit")).json()["entries"][0]


async def test_a_role_is_given_changed_and_taken(api: ApiServer) -> None:
    ada = await ada_of(api)
    made = await give(ada, user=" Bob ", role="viewer", scope="project")
    assert (made.status_code, made.headers["location"]) == (303, PAGE)
    bob = (await api.ask("GET", f"{BASE}/demo/members")).json()["members"][0]
    entry = await newest_entry(api)
    assert (entry["action"], entry["target"]) == ("member.set", f"{bob['user_id']}:viewer")
    assert entry["project"] == bob["project"]
    assert await roles(api) == {("ada", "workspace", "admin"), ("bob", "project", "viewer")}
    text = (await ada.get(PAGE)).text
    assert re.findall(r'<th scope="row">(\w+)', text) == ["ada", "bob"]
    assert 'aria-label="Role of bob in this project"' in text
    assert 'aria-label="Role of ada in the whole workspace"' in text
    await give(ada, user=bob["user_id"], role="runner", scope="project")
    assert ("bob", "project", "runner") in await roles(api)
    gone = await ada.submit(PAGE, f"{PAGE}/remove", {"user": bob["user_id"], "scope": "project"})
    assert (gone.status_code, await roles(api)) == (303, {("ada", "workspace", "admin")})
    assert (await newest_entry(api))["action"] == "member.remove"


async def test_a_role_in_the_whole_workspace_is_another_one(api: ApiServer) -> None:
    ada = await ada_of(api)
    await give(ada, user="bob", role="viewer", scope="project")
    await give(ada, user="bob", role="admin", scope="workspace")
    entry = await newest_entry(api)
    assert (entry["workspace"], entry["project"]) == ("default", None)
    assert {("bob", "project", "viewer"), ("bob", "workspace", "admin")} < await roles(api)
    await ada.submit(PAGE, f"{PAGE}/remove", {"user": "bob", "scope": "workspace"})
    assert ("bob", "project", "viewer") in await roles(api)
    assert ("bob", "workspace", "admin") not in await roles(api)


async def test_the_last_admin_stays_and_the_page_says_why(api: ApiServer) -> None:
    ada = await ada_of(api)
    refused = await give(ada, user="ada", role="viewer", scope="workspace", listed="1")
    taken = await ada.submit(PAGE, f"{PAGE}/remove")
    for answer in (refused, taken):
        assert answer.status_code == 409
        assert "last admin" in answer.text
        assert 'role="alert"' in answer.text
        assert "ada" in answer.text
    assert await roles(api) == {("ada", "workspace", "admin")}


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"user": "nobody", "role": "viewer", "scope": "project"}, 404, "no such user"),
        ({"user": "", "role": "viewer", "scope": "project"}, 400, "<code>user</code>"),
        ({"user": "nobody", "role": "owner", "scope": "project"}, 400, "<code>role</code>"),
        ({"user": "nobody", "role": "viewer", "scope": "server"}, 400, "<code>scope</code>"),
        ({"user": EVIL, "role": "viewer", "scope": "workspace"}, 404, "no such user"),
    ],
    ids=["unknown", "none", "role", "scope", "markup"],
)
async def test_what_is_refused_comes_back_as_it_was_typed(
    api: ApiServer, fields: dict[str, str], status: int, said: str
) -> None:
    answer = await give(await ada_of(api), **fields)
    assert answer.status_code == status
    assert said in answer.text.lower()
    assert "<script>" not in answer.text
    typed = fields["user"].replace("<", "&lt;").replace(">", "&gt;")
    assert f'name="user" value="{typed}"' in answer.text
    assert await roles(api) == {("ada", "workspace", "admin")}


async def test_an_admin_of_the_project_alone_sees_and_changes_no_more_than_that(api: ApiServer) -> None:
    demo = (await api.ask("GET", f"{BASE}/demo")).json()["id"]
    await with_person(api, "eve", Role.ADMIN, project=demo)
    eve = browser(api)
    await eve.sign_in("eve")
    text = (await eve.get(PAGE)).text
    assert re.findall(r'<th scope="row">(\w+)', text) == ["eve"]
    assert "for its admins to see" in text
    assert "the whole workspace default" not in text
    assert (await give(eve, user="bob", role="admin", scope="workspace")).status_code == 403
    assert (await give(eve, user="bob", role="runner", scope="project")).status_code == 303
    assert ("bob", "project", "runner") in await roles(api)


async def test_who_is_no_admin_sees_nothing_and_no_form_is_forged(api: ApiServer) -> None:
    await with_person(api, "kim", Role.RUNNER)
    kim = browser(api)
    await kim.sign_in("kim")
    assert (await kim.get(PAGE)).status_code == 403
    assert (await give(kim, user="kim", role="admin", scope="project")).status_code == 403
    ada = await ada_of(api)
    for path in (PAGE, f"{PAGE}/remove"):
        forged = await ada.send(path, {"user": "kim", "role": "admin", "scope": "workspace"})
        assert forged.status_code == 403
    assert ("kim", "workspace", "runner") in await roles(api)
