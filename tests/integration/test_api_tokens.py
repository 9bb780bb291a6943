"""Sign-in of programs over HTTP: the device flow, access tokens and their refresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import jwt
import pytest
from api_server import BASE, ApiServer, api_server

AUTH = "/v1/auth"
RUNS = f"{BASE}/demo/runs"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def ask(api: ApiServer, path: str, body: Any = None, *, key: str | None = None) -> Any:
    return await api.ask("POST", AUTH + path, key=key, **({} if body is None else {"json": body}))


async def approved(api: ApiServer, key: str = "runner", **more: Any) -> dict[str, Any]:
    """Sign in by the device flow, approved with a key; return the tokens."""
    asked = (await ask(api, "/device/authorize")).json()
    said = await ask(
        api, "/device/approve", {"user_code": asked["user_code"], "approve": True, **more}, key=key
    )
    assert said.status_code == 200, said.text
    answer = await ask(api, "/device/token", {"device_code": asked["device_code"]})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_program_signs_in_by_the_device_flow(api: ApiServer) -> None:
    asked = await ask(api, "/device/authorize")
    assert asked.status_code == 200
    codes = asked.json()
    page = "http://control/device"
    assert codes == {
        "device_code": codes["device_code"],
        "user_code": codes["user_code"],
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={codes['user_code']}",
        "expires_in": 900,
        "interval": 5,
    }
    poll = {"device_code": codes["device_code"]}
    for error in ("authorization_pending", "slow_down"):
        answer = await ask(api, "/device/token", poll)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert answer.json()["error_description"]

    said = await ask(api, "/device/approve", {"user_code": codes["user_code"], "approve": True}, key="runner")
    assert said.json() == {"approved": True, "workspace_id": "default"}
    answer = await ask(api, "/device/token", poll)
    assert (answer.status_code, answer.json().keys()) == (
        200,
        {"workspace_id", "access_token", "refresh_token"},
    )
    assert answer.headers["cache-control"] == "no-store"
    again = await ask(api, "/device/token", poll)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_denied_program_is_told(api: ApiServer) -> None:
    codes = (await ask(api, "/device/authorize")).json()
    decision = {"user_code": codes["user_code"].lower().replace("-", " "), "approve": False}
    said = await ask(api, "/device/approve", decision, key="viewer")
    assert said.json() == {"approved": False, "workspace_id": None}
    answer = await ask(api, "/device/token", {"device_code": codes["device_code"]})
    assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")
    late = await ask(api, "/device/approve", {**decision, "approve": True}, key="viewer")
    assert (late.status_code, late.json()["type"]) == (404, "device-not-found")


async def test_an_access_token_opens_what_its_holder_may(api: ApiServer) -> None:
    token = (await approved(api))["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["wid"] == "default"
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert jwt.get_unverified_header(token)["kid"]
    assert (await api.ask("GET", RUNS, key=token)).status_code == 200
    assert (await api.ask("PATCH", f"{BASE}/demo", key=token, json={"name": "x"})).status_code == 403
    me = await api.ask("GET", f"{AUTH}/session", key=token)
    assert me.json() == {
        "id": claims["sub"],
        "name": "runner",
        "kind": "key",
        "operator": False,
        "grants": [{"workspace": "default", "project": None, "role": "runner"}],
        "csrf_token": None,
    }


async def test_an_operators_token_is_of_one_workspace_and_runs_no_server(api: ApiServer) -> None:
    token = (await approved(api, "admin", workspace="default"))["access_token"]
    assert (await api.ask("PATCH", f"{BASE}/demo", key=token, json={"name": "x"})).status_code == 200
    assert (await api.ask("POST", "/v1/admin/gc", key=token, json={"dry_run": True})).status_code == 403


async def test_a_foreign_workspace_cannot_be_approved(api: ApiServer) -> None:
    codes = (await ask(api, "/device/authorize")).json()
    decision = {"user_code": codes["user_code"], "approve": True, "workspace": "other"}
    answer = await ask(api, "/device/approve", decision, key="runner")
    assert (answer.status_code, answer.json()["type"]) == (404, "workspace-not-found")


async def test_one_sign_in_begets_no_other(api: ApiServer) -> None:
    token = (await approved(api))["access_token"]
    codes = (await ask(api, "/device/authorize")).json()
    decision = {"user_code": codes["user_code"], "approve": True}
    assert (await ask(api, "/device/approve", decision, key=token)).status_code == 403


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_family(api: ApiServer) -> None:
    first = await approved(api)
    second = (await ask(api, "/refresh", {"refresh_token": first["refresh_token"]})).json()
    assert second["workspace_id"] == "default"
    assert (await api.ask("GET", RUNS, key=second["access_token"])).status_code == 200
    reused = await ask(api, "/refresh", {"refresh_token": first["refresh_token"]})
    assert (reused.status_code, reused.json()["type"]) == (401, "unauthenticated")
    assert (await ask(api, "/refresh", {"refresh_token": second["refresh_token"]})).status_code == 401
    assert (await api.ask("GET", RUNS, key=second["access_token"])).status_code == 401


async def test_of_two_refreshes_at_once_one_wins_and_the_family_ends(api: ApiServer) -> None:
    tokens = await approved(api)
    body = {"refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(ask(api, "/refresh", body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 401]
    assert (await api.ask("GET", RUNS, key=tokens["access_token"])).status_code == 401


async def test_sign_out_ends_the_family(api: ApiServer) -> None:
    tokens = await approved(api)
    assert (await ask(api, "/logout", key=tokens["access_token"])).status_code == 204
    assert (await api.ask("GET", RUNS, key=tokens["access_token"])).status_code == 401
    assert (await ask(api, "/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 401
    assert (await ask(api, "/logout", key="runner")).status_code == 400


async def test_a_refresh_token_can_be_revoked_without_an_access_token(api: ApiServer) -> None:
    tokens = await approved(api)
    for token in (tokens["refresh_token"], "drf.fam_1.nonsense", ""):
        assert (await ask(api, "/revoke", {"refresh_token": token})).status_code == 204
    assert (await api.ask("GET", RUNS, key=tokens["access_token"])).status_code == 401


async def test_a_revoked_key_takes_its_tokens_along(api: ApiServer) -> None:
    tokens = await approved(api)
    key_id = jwt.decode(tokens["access_token"], options={"verify_signature": False})["sub"]
    services = api.services
    await services.people.api_keys._store.revoke(key_id, services.clock.now())
    assert (await api.ask("GET", RUNS, key=tokens["access_token"])).status_code == 401
    assert (await ask(api, "/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 401


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256", "kid": "other"}, {"alg": "HS512"}])
async def test_tokens_that_we_did_not_sign_open_nothing(api: ApiServer, header: dict[str, str]) -> None:
    good = (await approved(api))["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = header.get("kid", jwt.get_unverified_header(good)["kid"])
    forged = jwt.encode(claims, "" if header["alg"] == "none" else "k" * 64, header["alg"], {"kid": kid})
    assert (await api.ask("GET", RUNS, key=forged)).status_code == 401
    assert (await api.ask("GET", RUNS, key="eyJ.eyJ.x")).status_code == 401
