"""Sign-in and sign-out at the pages, as a browser without scripts does it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import ApiServer
from browsing import PASSWORD, browser, with_person

from daftray.domain.principal import Role
from daftray.domain.throttle import FAILED_LOGIN, LOGIN_BY_ADDRESS
from daftray.identity.digests import digest_of
from daftray.web.redirects import local_path

SOMEWHERE = "/projects/default/demo/runs?status=failed&q=a+b"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.ADMIN)
        yield server


async def test_who_is_not_signed_in_signs_in_and_comes_back(api: ApiServer) -> None:
    someone = browser(api)
    assert (await api.http.get("/v1/auth/session")).status_code == 401
    answer = await someone.submit(
        f"/sign-in?next={SOMEWHERE.replace('&', '%26').replace('+', '%2B')}",
        "/sign-in",
        {"name": "Ada", "password": PASSWORD},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, SOMEWHERE)
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("daftray=ses_", "httponly", "samesite=lax"))
    assert (await api.http.get("/v1/auth/session")).json()["name"] == "ada"
    again = await someone.get("/sign-in?next=/projects")
    assert (again.status_code, again.headers["location"]) == (303, "/projects")


async def test_a_wrong_password_shows_the_form_again_and_no_password(api: ApiServer) -> None:
    answer = await browser(api).sign_in("ada", "wrong horse battery", target=SOMEWHERE)
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert "The name or the password is wrong." in answer.text
    assert 'value="ada"' in answer.text
    assert "wrong horse" not in answer.text
    nobody = await browser(api).sign_in("ada", "x" * 2000)
    assert nobody.status_code == 401


async def test_the_first_start_needs_no_person(api: ApiServer) -> None:
    answer = await browser(api).submit("/sign-in", "/sign-in", {"key": f" {api.keys['admin']}\n"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = (await api.http.get("/v1/auth/session")).json()
    assert (me["kind"], me["operator"], bool(me["csrf_token"])) == ("key", True, True)


async def test_a_keys_session_is_worth_no_more_than_the_key(api: ApiServer) -> None:
    assert (await browser(api).send("/sign-in", {"key": api.keys["viewer"]})).status_code == 303
    assert (await api.http.get("/v1/auth/session")).status_code == 200
    revoked = await api.ask("DELETE", f"/v1/api-keys/{api.keys['viewer'].split('.')[1]}")
    assert revoked.status_code == 204
    assert (await api.http.get("/v1/auth/session")).status_code == 401


@pytest.mark.parametrize("key", ["drk.key_0.nonsense", "nonsense", "x" * 5000])
async def test_a_wrong_key_is_refused_and_not_repeated(api: ApiServer, key: str) -> None:
    answer = await browser(api).send("/sign-in", {"key": key})
    assert (answer.status_code, key in answer.text) == (401, False)
    assert "no API key of this server" in answer.text


async def test_a_foreign_page_signs_nobody_in(api: ApiServer) -> None:
    someone = browser(api)
    for fields in ({"name": "ada", "password": PASSWORD}, {"key": api.keys["admin"]}):
        for headers in ({"origin": "https://evil.example"}, {"origin": "null"}):
            answer = await someone.send("/sign-in", fields, **headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_guesses_are_counted(api: ApiServer) -> None:
    throttle = api.services.people.sign_in.throttle
    for _ in range(FAILED_LOGIN.tries):
        throttle.hit(FAILED_LOGIN, digest_of("ada"))
    answer = await browser(api).sign_in("ada")
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    for _ in range(LOGIN_BY_ADDRESS.tries - 1):
        throttle.hit(LOGIN_BY_ADDRESS, "127.0.0.1")
    assert (await browser(api).send("/sign-in", {"key": api.keys["admin"]})).status_code == 429


async def test_sign_out_needs_the_sessions_token_and_ends_the_session(api: ApiServer) -> None:
    someone = browser(api)
    await someone.sign_in("ada")
    kept = api.http.cookies["daftray"]
    assert (await someone.send("/sign-out", {})).status_code == 403
    assert (await someone.send("/sign-out", {"csrf_token": "wrong"})).status_code == 403
    token = (await api.http.get("/v1/auth/session")).json()["csrf_token"]
    out = await someone.send("/sign-out", {"csrf_token": token})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    after = await api.http.get("/v1/auth/session", headers={"cookie": f"daftray={kept}"})
    assert after.status_code == 401


async def test_the_audit_log_tells_who_came_and_went(api: ApiServer) -> None:
    someone = browser(api)
    await someone.send("/sign-in", {"name": "ada", "password": "wrong horse battery"})
    await someone.sign_in("ada")
    entries = (await api.ask("GET", "/v1/audit")).json()["entries"]
    assert [entry["action"] for entry in entries if entry["action"].startswith("session")] == [
        "session.create"
    ]


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "evil", ""),
        *("/a\r\nSet-Cookie: x=y", "/ä", "///x", "/" + "x" * 3000, "/a b", "\t/x"),
    ],
)
def test_nobody_is_sent_away_after_signing_in(target: str) -> None:
    assert local_path(target) == "/"


@pytest.mark.parametrize("target", ["/", SOMEWHERE, "/device?user_code=BCDF-GHJK", "/~/run_1#L3"])
def test_pages_of_ours_are_gone_back_to(target: str) -> None:
    assert local_path(target) == target
