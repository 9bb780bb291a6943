"""Sign-in in a browser over HTTP: the session's cookie, forged requests, guesses without end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import BASE, ApiServer, api_server

from daftray.domain.principal import Role
from daftray.domain.throttle import (
    DEVICE_POLL,
    DEVICE_START,
    FAILED_CODE,
    FAILED_LOGIN,
    LOGIN_BY_ADDRESS,
    REFRESH_BY_ADDRESS,
    Rate,
)
from daftray.domain.user import Membership, User, UserRequest
from daftray.identity.digests import digest_of

AUTH = "/v1/auth"
DEMO = f"{BASE}/demo"
PASSWORD = "correct horse battery"
ORIGIN = "http://control"


async def with_ada(server: ApiServer) -> User:
    users = server.services.people.users
    ada = await users.create(UserRequest(name="ada", password=PASSWORD))
    await users._memberships.put(Membership(user_id=ada.id, workspace="default", role=Role.ADMIN))
    return ada


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        await with_ada(server)
        yield server


async def login(api: ApiServer, *, password: str = PASSWORD, **headers: str) -> httpx.Response:
    body = {"name": "Ada", "password": password}
    return await api.http.post(f"{AUTH}/login", json=body, headers=headers)


async def rename(api: ApiServer, **headers: str) -> int:
    """Change something by cookie alone; return the status."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await api.http.patch(DEMO, json={"max_running": 3}, headers=headers)).status_code


async def test_a_session_is_a_cookie_that_no_script_reads(api: ApiServer) -> None:
    answer = await login(api)
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("daftray=ses_")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", "max-age=604800"} <= attributes
    assert "secure" not in attributes
    me = (await api.http.get(f"{AUTH}/session")).json()
    assert me == answer.json()
    assert (me["name"], me["kind"]) == ("ada", "person")
    assert me["grants"] == [{"workspace": "default", "project": None, "role": "admin"}]
    assert me["csrf_token"]
    assert (await api.http.get(DEMO)).status_code == 200


async def test_behind_https_the_cookie_is_for_https_and_this_host_alone(tmp_path: Path) -> None:
    async with api_server(tmp_path, public_url="https://daftray.example") as server:
        await with_ada(server)
        answer = await login(server, origin="https://daftray.example")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-daftray=ses_")
        assert "secure" in cookie.lower()
        codes = (await server.ask("POST", f"{AUTH}/device/authorize", key=None)).json()
        assert codes["verification_uri"] == "https://daftray.example/device"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x_csrf_token": "wrong"}, 403),
        ({"x_csrf_token": "TOKEN"}, 200),
        ({"x_csrf_token": "TOKEN", "origin": ORIGIN, "sec_fetch_site": "same-origin"}, 200),
        ({"x_csrf_token": "TOKEN", "origin": "https://evil.example"}, 403),
        ({"x_csrf_token": "TOKEN", "origin": "http://control.evil.example"}, 403),
        ({"x_csrf_token": "TOKEN", "origin": "null"}, 403),
        ({"x_csrf_token": "TOKEN", "sec_fetch_site": "cross-site"}, 403),
        ({"x_csrf_token": "TOKEN", "sec_fetch_site": "same-site"}, 403),
    ],
)
async def test_a_change_by_cookie_needs_the_sessions_token_and_our_own_page(
    api: ApiServer, headers: dict[str, str], status: int
) -> None:
    token = (await login(api)).json()["csrf_token"]
    sent = {name: token if value == "TOKEN" else value for name, value in headers.items()}
    assert await rename(api, **sent) == status


async def test_another_sessions_token_is_none(api: ApiServer) -> None:
    token = (await login(api)).json()["csrf_token"]
    await login(api)
    assert await rename(api, x_csrf_token=token) == 403


async def test_a_bearer_needs_no_token_and_goes_before_a_cookie(api: ApiServer) -> None:
    await login(api)
    assert (await api.ask("PATCH", DEMO, key="admin", json={"max_running": 2})).status_code == 200
    assert (await api.ask("GET", DEMO, key="drk.key_0.x")).status_code == 401


async def test_a_cookie_that_was_planted_before_is_not_who_signs_in(api: ApiServer) -> None:
    await login(api)
    planted = api.http.cookies["daftray"]
    await login(api)
    assert api.http.cookies["daftray"] != planted
    api.http.cookies.clear()
    alone = await api.http.get(f"{AUTH}/session", headers={"cookie": f"daftray={planted}"})
    assert alone.status_code == 401


async def test_sign_out_ends_the_session_not_only_the_cookie(api: ApiServer) -> None:
    token = (await login(api)).json()["csrf_token"]
    kept = api.http.cookies["daftray"]
    assert (await api.http.post(f"{AUTH}/logout")).status_code == 403
    out = await api.http.post(f"{AUTH}/logout", headers={"x-csrf-token": token})
    assert (out.status_code, "max-age=0" in out.headers["set-cookie"].lower()) == (204, True)
    answer = await api.http.get(f"{AUTH}/session", headers={"cookie": f"daftray={kept}"})
    assert answer.status_code == 401


async def test_wrong_names_and_wrong_passwords_answer_alike(api: ApiServer) -> None:
    answers = [
        await api.http.post(f"{AUTH}/login", json={"name": name, "password": "wrong horse battery"})
        for name in ("ada", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert "set-cookie" not in answers[0].headers


async def test_a_foreign_page_signs_nobody_in(api: ApiServer) -> None:
    assert (await login(api, origin="https://evil.example")).status_code == 403


async def test_a_person_approves_a_device_in_the_browser(api: ApiServer) -> None:
    token = (await login(api)).json()["csrf_token"]
    codes = (await api.ask("POST", f"{AUTH}/device/authorize", key=None)).json()
    body = {"user_code": codes["user_code"], "approve": True}
    assert (await api.http.post(f"{AUTH}/device/approve", json=body)).status_code == 403
    said = await api.http.post(f"{AUTH}/device/approve", json=body, headers={"x-csrf-token": token})
    assert said.json() == {"approved": True, "workspace_id": "default"}


def retry_after(answer: httpx.Response) -> int:
    assert (answer.status_code, answer.json()["type"]) == (429, "too-many-requests")
    assert answer.headers["content-type"] == "application/problem+json"
    return int(answer.headers["retry-after"])


def used_up(api: ApiServer, rate: Rate, who: str) -> None:
    """Let somebody have tried as often as they may, in no time: a busy machine is slower than a window."""
    for _ in range(rate.tries):
        api.services.people.sign_in.throttle.hit(rate, who)


async def test_a_wrong_password_counts_against_the_account(api: ApiServer) -> None:
    throttle, account = api.services.people.sign_in.throttle, digest_of("ada")
    for _ in range(FAILED_LOGIN.tries - 1):
        throttle.hit(FAILED_LOGIN, account)
    assert (await login(api, password="wrong horse battery")).status_code == 401
    assert 0 < retry_after(await login(api)) <= FAILED_LOGIN.seconds


@pytest.mark.parametrize(
    ("path", "body", "rate"),
    [
        ("/login", {"name": "x", "password": "y"}, LOGIN_BY_ADDRESS),
        ("/refresh", {"refresh_token": "x"}, REFRESH_BY_ADDRESS),
        ("/device/authorize", None, DEVICE_START),
        ("/device/token", {"device_code": "x"}, DEVICE_POLL),
    ],
)
async def test_an_address_cannot_ask_without_end(api: ApiServer, path: str, body: Any, rate: Rate) -> None:
    used_up(api, rate, "127.0.0.1")
    answer = await api.http.post(AUTH + path, **({} if body is None else {"json": body}))
    assert 0 < retry_after(answer) <= rate.seconds


async def test_a_code_cannot_be_guessed_without_end(api: ApiServer) -> None:
    guess = {"user_code": "BBBB-BBBB", "approve": True}
    assert (await api.ask("POST", f"{AUTH}/device/approve", json=guess)).status_code == 404
    throttle = api.services.people.sign_in.throttle
    for _ in range(FAILED_CODE.tries - 1):
        throttle.hit(FAILED_CODE, "127.0.0.1")
    codes = (await api.ask("POST", f"{AUTH}/device/authorize", key=None)).json()
    late = {"user_code": codes["user_code"], "approve": True}
    retry_after(await api.ask("POST", f"{AUTH}/device/approve", json=late))
