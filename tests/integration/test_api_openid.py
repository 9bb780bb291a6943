"""Sign-in by an OpenID provider over HTTP: a browser between this server and a provider on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import ApiServer, api_server
from openid_server import ADA, CLIENT_ID, CLIENT_SECRET, METADATA, OpenIdServer, openid_server, query_of
from small_server import Answer, as_json

from daftray.domain.audit import AuditQuery
from daftray.domain.principal import Role
from daftray.domain.throttle import LOGIN_BY_ADDRESS
from daftray.domain.user import Membership, User, UserPatch, UserRequest

START, CALLBACK = "/v1/auth/oidc/start", "/v1/auth/oidc/callback"
COOKIE, WAITING = "daftray", "daftray-oidc"
NAME = "ada@example.org"


class _Now:
    """The time of the server, which the provider shares once there is one."""

    def __init__(self) -> None:
        self.clock: Any = None

    def now(self) -> Any:
        return self.clock.now()


@pytest.fixture
def idp() -> Generator[OpenIdServer]:
    with openid_server(_Now()) as server:
        yield server


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
async def api(tmp_path: Path, idp: OpenIdServer, settings: dict[str, Any]) -> AsyncGenerator[ApiServer]:
    client = {"oidc_issuer": idp.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    async with api_server(tmp_path, **{**client, **settings}) as server:
        idp.clock.clock = server.services.clock
        yield server


async def added(api: ApiServer) -> User:
    """Let an admin add her with a role."""
    users = api.services.people.users
    user = await users.create(UserRequest(name=NAME))
    await users._memberships.put(Membership(user_id=user.id, workspace="default", role=Role.ADMIN))
    return user


async def begun(api: ApiServer, **query: str) -> dict[str, str]:
    """Go to the provider; return what the browser brings there."""
    answer = await api.http.get(START, params=query)
    assert answer.status_code == 302, answer.text
    return query_of(answer.headers["location"])


async def returned(api: ApiServer, **query: str) -> httpx.Response:
    return await api.http.get(CALLBACK, params=query)


async def signed_in(api: ApiServer, idp: OpenIdServer, **query: str) -> httpx.Response:
    back = idp.authorize(await begun(api, **query))
    return await returned(api, **query_of(back))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert COOKIE not in answer.cookies
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


async def test_a_person_whom_an_admin_added_signs_in(api: ApiServer, idp: OpenIdServer) -> None:
    ada = await added(api)
    answer = await signed_in(api, idp, next="/runs?status=failed#top")
    assert (answer.status_code, answer.headers["location"]) == (302, "/runs?status=failed#top")
    cookies = answer.headers.get_list("set-cookie")
    (session,) = [cookie.lower() for cookie in cookies if cookie.startswith(f"{COOKIE}=ses_")]
    assert all(part in session for part in ("httponly", "samesite=lax", "path=/", "max-age=604800"))
    (gone,) = [cookie.lower() for cookie in cookies if cookie.startswith(f"{WAITING}=")]
    assert "max-age=0" in gone
    me = (await api.http.get("/v1/auth/session")).json()
    assert (me["name"], me["id"]) == (NAME, ada.id)
    assert me["grants"] == [{"workspace": "default", "project": None, "role": "admin"}]
    log = await api.services.people.audit.list(AuditQuery(actor=ada.id))
    assert [entry.action for entry in log] == ["session.create", "user.bind"]
    assert log[0].target == session.partition("=")[2].partition(".")[0]


async def test_a_person_of_whom_the_id_token_says_little_signs_in(api: ApiServer, idp: OpenIdServer) -> None:
    await added(api)
    idp.thin = True
    assert (await signed_in(api, idp)).status_code == 302


async def test_what_goes_to_the_provider_is_bound_to_this_browser(api: ApiServer) -> None:
    answer = await api.http.get(START)
    asked = query_of(answer.headers["location"])
    assert asked["redirect_uri"] == f"http://control{CALLBACK}"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{WAITING}=")
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/", "max-age=600"))
    again = await begun(api)
    assert not {asked[name] for name in ("state", "nonce", "code_challenge")} & {*again.values()}


@pytest.mark.parametrize("settings", [{"public_url": "https://daftray.example/"}])
async def test_behind_https_all_cookies_are_for_https(api: ApiServer) -> None:
    answer = await api.http.get(START)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{WAITING}=")
    assert "secure" in cookie.lower()
    assert query_of(answer.headers["location"])["redirect_uri"] == f"https://daftray.example{CALLBACK}"


@pytest.mark.parametrize(
    "path",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil.example"),
        *("/a\\..\\evil", "/ä", "/a b", "/\t/evil.example", "/\n//evil.example", "", "/" + "a" * 1000),
        *("javascript:alert(1)", "@evil.example", "/a\0"),
    ],
)
async def test_nobody_is_sent_to_another_site(api: ApiServer, path: str) -> None:
    assert refusal(await api.http.get(START, params={"next": path})) == (400, "invalid-input")


async def test_an_answer_to_another_browser_is_refused(api: ApiServer, idp: OpenIdServer) -> None:
    """Else somebody could make a browser sign in as themselves, or use a code that they have caught."""
    await added(api)
    back = query_of(idp.authorize(await begun(api)))
    assert refusal(await returned(api, **{**back, "state": "another"})) == (401, "unauthenticated")
    assert refusal(await returned(api, code=back["code"])) == (401, "unauthenticated")
    other = query_of(idp.authorize(await begun(api)))
    assert refusal(await returned(api, **{**other, "state": back["state"]})) == (401, "unauthenticated")
    api.http.cookies.clear()
    assert refusal(await returned(api, **other)) == (401, "unauthenticated")
    assert refusal(await returned(api)) == (401, "unauthenticated")


@pytest.mark.parametrize("forged", ["x", "eyJ.eyJ.x", "KEY", "SESSION"])
async def test_a_cookie_that_we_did_not_make_for_this_is_none(
    api: ApiServer, idp: OpenIdServer, forged: str
) -> None:
    ada = await added(api)
    back = query_of(idp.authorize(await begun(api)))
    texts = {
        "KEY": api.keys["admin"],
        "SESSION": await api.services.people.sign_in.sessions.begin(ada.id),
    }
    api.http.cookies.clear()
    api.http.cookies.set(WAITING, texts.get(forged, forged))
    assert refusal(await returned(api, **back)) == (401, "unauthenticated")


async def test_an_answer_is_good_once(api: ApiServer, idp: OpenIdServer) -> None:
    await added(api)
    asked = await begun(api)
    kept = api.http.cookies[WAITING]
    assert (await returned(api, **query_of(idp.authorize(asked)))).status_code == 302
    api.http.cookies.clear()
    api.http.cookies.set(WAITING, kept)
    # The code is new, and so good at the provider: it is the state that was used.
    assert refusal(await returned(api, **query_of(idp.authorize(asked)))) == (401, "unauthenticated")


async def test_a_code_that_the_provider_refuses_is_no_sign_in(api: ApiServer) -> None:
    await added(api)
    asked = await begun(api)
    answer = await returned(api, state=asked["state"], code="made-up")
    assert refusal(answer) == (401, "unauthenticated")
    assert "made-up" not in answer.text


async def test_who_turns_back_at_the_provider_is_told_so(api: ApiServer) -> None:
    asked = await begun(api)
    answer = await returned(api, state=asked["state"], error="access_denied")
    assert (*refusal(answer), "access_denied" in answer.json()["detail"]) == (403, "forbidden", True)
    asked = await begun(api)
    answer = await returned(api, state=asked["state"], error="<b>come to evil.example</b>")
    assert "evil" not in answer.text


async def test_an_answer_of_another_issuer_is_refused(api: ApiServer, idp: OpenIdServer) -> None:
    await added(api)
    back = query_of(idp.authorize(await begun(api)))
    answer = await returned(api, **back, iss="https://evil.example")
    assert refusal(answer) == (401, "unauthenticated")
    back = query_of(idp.authorize(await begun(api)))
    assert (await returned(api, **back, iss=idp.issuer)).status_code == 302


async def test_the_session_of_before_ends(api: ApiServer, idp: OpenIdServer) -> None:
    await added(api)
    await signed_in(api, idp)
    planted = api.http.cookies[COOKIE]
    await signed_in(api, idp)
    api.http.cookies.clear()
    alone = await api.http.get("/v1/auth/session", headers={"cookie": f"{COOKIE}={planted}"})
    assert alone.status_code == 401


async def test_a_provider_that_is_down_has_a_code(api: ApiServer, idp: OpenIdServer) -> None:
    idp.http.on(f"GET {METADATA}", Answer(status=502))
    assert refusal(await api.http.get(START)) == (503, "identity-provider-unreachable")
    idp.http.on(f"GET {METADATA}", as_json({**idp.metadata, "issuer": "https://evil.example"}))
    assert refusal(await api.http.get(START)) == (502, "identity-provider-refused")


@pytest.mark.parametrize("path", [START, CALLBACK])
async def test_an_address_cannot_try_without_end(api: ApiServer, path: str) -> None:
    for _ in range(LOGIN_BY_ADDRESS.tries):
        api.services.people.sign_in.throttle.hit(LOGIN_BY_ADDRESS, "127.0.0.1")
    assert refusal(await api.http.get(path)) == (429, "too-many-requests")


@pytest.mark.parametrize("settings", [{"oidc_issuer": None, "oidc_client_id": None}])
@pytest.mark.parametrize("path", [START, CALLBACK])
async def test_without_a_provider_there_is_no_such_sign_in(api: ApiServer, path: str) -> None:
    assert refusal(await api.http.get(path)) == (404, "not-found")


async def test_who_was_disabled_does_not_come_in(api: ApiServer, idp: OpenIdServer) -> None:
    ada = await added(api)
    operator = await api.services.people.users.principal(ada.id)
    await api.services.people.users.update(operator, ada, UserPatch(disabled=True))
    assert refusal(await signed_in(api, idp)) == (401, "unauthenticated")
    assert (await api.services.people.users.get(ada.id)).subject is None


async def test_who_nobody_added_does_not_come_in(api: ApiServer, idp: OpenIdServer) -> None:
    assert refusal(await signed_in(api, idp)) == (403, "forbidden")
    assert await api.services.people.users.list(limit=9) == []


@pytest.mark.parametrize("settings", [{"oidc_create_users": True}])
async def test_an_operator_may_let_everybody_in_who_then_has_no_role(
    api: ApiServer, idp: OpenIdServer
) -> None:
    assert ADA["email"] == NAME
    assert (await signed_in(api, idp)).status_code == 302
    me = (await api.http.get("/v1/auth/session")).json()
    assert (me["name"], me["grants"], me["operator"]) == (NAME, [], False)


async def test_the_page_of_sign_in_leads_to_the_provider_and_back(api: ApiServer, tmp_path: Path) -> None:
    address = "/v1/auth/oidc/start?next=/projects"
    page = await api.ask("GET", "/sign-in?next=/projects", key=None)
    assert f'href="{address}"' in page.text
    assert (await api.ask("GET", address, key=None)).status_code == 302
    async with api_server(tmp_path / "without") as without:
        assert "oidc" not in (await without.ask("GET", "/sign-in", key=None)).text
