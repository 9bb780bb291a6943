"""Approval of a program at its page, as a browser without scripts does it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_server import ApiServer
from browsing import PASSWORD, browser, with_person

from daftray.domain.principal import Role
from daftray.domain.throttle import FAILED_CODE

AUTH = "/v1/auth/device"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.RUNNER)
        yield server


async def asked(api: ApiServer) -> dict[str, Any]:
    return (await api.ask("POST", f"{AUTH}/authorize", key=None)).json()


async def told(api: ApiServer, codes: dict[str, Any]) -> dict[str, Any]:
    return (await api.http.post(f"{AUTH}/token", json={"device_code": codes["device_code"]})).json()


async def test_a_person_follows_the_programs_link_signs_in_and_approves(api: ApiServer) -> None:
    codes, ada = await asked(api), browser(api)
    link = codes["verification_uri_complete"].removeprefix(ada.origin)
    sent = await ada.get(link)
    assert sent.status_code == 303
    back = await ada.submit(sent.headers["location"], "/sign-in", {"name": "ada", "password": PASSWORD})
    assert back.headers["location"] == link
    question = (await ada.get(link)).text
    assert codes["user_code"] in question
    assert "<strong>ada</strong>" in question
    assert "Workspace: <strong>default</strong>" in question
    answer = await ada.submit(link, "/device", {"decision": "approve"})
    assert (answer.status_code, "Approved" in answer.text) == (200, True)
    tokens = await told(api, codes)
    assert tokens["workspace_id"] == "default"
    me = (await api.ask("GET", "/v1/auth/session", key=tokens["access_token"])).json()
    assert me["name"] == "ada"
    entries = (await api.ask("GET", "/v1/audit")).json()["entries"]
    decided = next(entry for entry in entries if entry["action"] == "device.decide")
    assert (decided["target"], decided["actor_name"]) == ("approved", "ada")


async def test_a_person_denies(api: ApiServer) -> None:
    codes, ada = await asked(api), browser(api)
    await ada.sign_in("ada")
    typed = codes["user_code"].lower().replace("-", " ")
    answer = await ada.submit(f"/device?user_code={typed}", "/device", {"decision": "deny"})
    assert (answer.status_code, "Denied" in answer.text) == (200, True)
    assert (await told(api, codes))["error"] == "access_denied"
    late = await ada.get(f"/device?user_code={codes['user_code']}")
    assert (late.status_code, "There is no such code" in late.text) == (404, True)


async def test_nobody_approves_by_a_forged_form(api: ApiServer) -> None:
    codes, ada = await asked(api), browser(api)
    await ada.sign_in("ada")
    fields = {"user_code": codes["user_code"], "decision": "approve"}
    assert (await ada.send("/device", fields)).status_code == 403
    token = (await api.http.get("/v1/auth/session")).json()["csrf_token"]
    sent = await ada.send("/device", {**fields, "csrf_token": token}, origin="https://evil.example")
    assert sent.status_code == 403
    undecided = await ada.send("/device", {"user_code": codes["user_code"], "csrf_token": token})
    assert undecided.status_code == 400
    foreign = {**fields, "csrf_token": token, "workspace": "other"}
    assert (await ada.send("/device", foreign)).status_code == 404
    assert (await told(api, codes))["error"] == "authorization_pending"


async def test_codes_cannot_be_guessed_at_the_page_either(api: ApiServer) -> None:
    codes, ada = await asked(api), browser(api)
    await ada.sign_in("ada")
    assert (await ada.get("/device?user_code=BBBB-BBBB")).status_code == 404
    for _ in range(FAILED_CODE.tries - 1):
        api.services.people.sign_in.throttle.hit(FAILED_CODE, "127.0.0.1")
    late = await ada.get(f"/device?user_code={codes['user_code']}")
    assert (late.status_code, "Too often" in late.text) == (429, True)


async def test_what_is_typed_is_text(api: ApiServer) -> None:
    await browser(api).sign_in("ada")
    shown = await browser(api).get("/device?user_code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert not re.search(r"<script>|alert\(1\)", shown.text)
