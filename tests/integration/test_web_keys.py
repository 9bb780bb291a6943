"""API keys in a browser: made and shown once, listed without their texts, revoked."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from browsing import Browser, browser, with_person

from daftray.domain.principal import Role

PAGE = "/projects/default/demo/api-keys"
DEMO = f"{BASE}/demo"
EVIL = "<script>alert(1)</script>"
KEY = re.compile(r"drk\.(key_[a-z0-9]+)\.[A-Za-z0-9_-]{40,}")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.ADMIN)
        yield server


async def signed_in(api: ApiServer, name: str) -> Browser:
    page = browser(api)
    await page.sign_in(name)
    return page


async def make(page: Browser, **fields: str) -> httpx.Response:
    asked = {"name": "nightly", "role": "runner", "scope": "project", "days": "30", **fields}
    return await page.submit(PAGE, PAGE, asked)


async def test_a_key_is_shown_once_and_opens_what_it_was_made_for(api: ApiServer) -> None:
    ada = await signed_in(api, "ada")
    answer = await make(ada, name=EVIL)
    made = KEY.search(answer.text)
    assert made
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    assert made[0] not in str(answer.request.url)
    assert (await api.ask("GET", f"{DEMO}/runs", key=made[0])).status_code == 200
    assert (await api.ask("GET", f"{DEMO}/members", key=made[0])).status_code == 403
    listed = (await ada.get(PAGE)).text
    assert made[0] not in listed
    assert f"drk.{made[1]}.…" in listed
    assert "<script>alert" not in answer.text + listed
    assert "&lt;script&gt;alert(1)" in listed
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"]) == ("key.create", f"{made[1]}:runner")
    assert entry["actor_name"] == "ada"
    assert made[0] not in str((await api.ask("GET", "/v1/audit")).json())


async def test_a_list_says_what_there_is_to_know_of_each_key(api: ApiServer) -> None:
    ada = await signed_in(api, "ada")
    await make(ada, name="nightly")
    await make(ada, name="for good", days="", role="viewer", scope="workspace")
    text = (await ada.get(PAGE)).text
    row = re.search(r"<tr>\s*<th scope=\"row\">nightly.*?</tr>", text, re.DOTALL)
    assert row
    for said in ("runner", "this project", "by ada", "never", "in 29 d 23 h"):
        assert said in row[0]
    row = re.search(r"<tr>\s*<th scope=\"row\">for good.*?</tr>", text, re.DOTALL)
    assert row
    for said in ("viewer", "the whole workspace", "when it is revoked"):
        assert said in row[0]
    created = (await api.ask("GET", "/v1/audit?action=key.create")).json()["entries"]
    assert [bool(entry["project"]) for entry in created] == [False, True]


async def test_a_key_is_revoked_and_stays_in_the_list(api: ApiServer) -> None:
    ada = await signed_in(api, "ada")
    made = KEY.search((await make(ada)).text)
    assert made
    answer = await ada.submit(PAGE, f"{PAGE}/{made[1]}/revoke")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert (await api.ask("GET", f"{DEMO}/runs", key=made[0])).status_code == 401
    text = (await ada.get(PAGE)).text
    assert "1 that opens nothing any more" in text
    assert f"{PAGE}/{made[1]}/revoke" not in text
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"]) == ("key.revoke", made[1])


async def test_keys_that_are_over_or_of_other_projects_are_set_apart(api: ApiServer) -> None:
    keys, now = api.services.people.api_keys, api.services.clock.now()
    await keys.create(
        name="old one", workspace="default", role=Role.ADMIN, expires_at=now - timedelta(hours=3)
    )
    source = {"git": {"remote": api.repo.url}}
    other = (await api.ask("POST", BASE, json={"name": "other", "source": source})).json()["id"]
    await keys.create(name="of another", workspace="default", project=other, role=Role.VIEWER)
    text = (await (await signed_in(api, "ada")).get(PAGE)).text
    assert "expired" in text.partition("nothing any more")[2]
    assert "old one" in text
    assert "of another" not in text


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"days": "0"}, "days"),
        ({"days": "3661"}, "days"),
        ({"days": "²"}, "days"),
        ({"role": "owner"}, "role"),
        ({"scope": "server"}, "scope"),
    ],
    ids=["none", "long", "zero", "late", "digit", "role", "scope"],
)
async def test_what_is_refused_comes_back_as_it_was_typed(
    api: ApiServer, fields: dict[str, str], path: str
) -> None:
    ada = await signed_in(api, "ada")
    answer = await make(ada, **{"days": "77", **fields})
    assert (answer.status_code, f"<code>{path}</code>" in answer.text) == (400, True)
    assert f'name="days" value="{fields.get("days", "77")}"' in answer.text
    assert KEY.search(answer.text) is None
    assert "nightly" not in (await ada.get(PAGE)).text


async def test_an_admin_of_the_project_alone_makes_and_revokes_its_keys_alone(api: ApiServer) -> None:
    demo = (await api.ask("GET", DEMO)).json()["id"]
    await with_person(api, "eve", Role.ADMIN, project=demo)
    eve = await signed_in(api, "eve")
    assert (await make(eve, scope="workspace")).status_code == 403
    assert KEY.search((await make(eve)).text)
    text = (await eve.get(PAGE)).text
    assert re.findall(r'<th scope="row">(\w+)', text) == ["nightly"]
    theirs = api.keys["admin"].split(".")[1]
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert token
    refused = await eve.send(f"{PAGE}/{theirs}/revoke", {"csrf_token": token[1]})
    assert refused.status_code == 404
    assert (await api.ask("GET", f"{DEMO}/runs")).status_code == 200


async def test_who_is_no_admin_sees_nothing_and_no_form_is_forged(api: ApiServer) -> None:
    await with_person(api, "kim", Role.RUNNER)
    kim = await signed_in(api, "kim")
    assert (await kim.get(PAGE)).status_code == 403
    ada = await signed_in(api, "ada")
    key = api.keys["viewer"].split(".")[1]
    for path in (PAGE, f"{PAGE}/{key}/revoke"):
        assert (await ada.send(path, {"name": "x", "role": "admin", "scope": "project"})).status_code == 403
    assert (await api.ask("GET", f"{DEMO}/runs", key="viewer")).status_code == 200


async def test_who_signs_in_with_a_key_is_told_which_one_it_is(api: ApiServer) -> None:
    page = browser(api)
    await page.send("/sign-in", {"key": api.keys["admin"], "next": "/"})
    text = (await page.get(PAGE)).text
    assert text.count("you are signed in with it") == 1
    assert "by the server" in text
