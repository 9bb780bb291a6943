"""API keys over HTTP: who makes, sees and revokes which."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, ApiServer, api_server

from daftray.domain.principal import Role

KEYS = "/v1/api-keys"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        wall = await server.ask("POST", "/v1/workspaces", json={"name": "team"})
        other = {"name": "other", "source": {"git": {"remote": server.repo.url}}}
        await server.ask("POST", BASE, json=other)
        demo = (await server.ask("GET", f"{BASE}/demo")).json()["id"]
        grants: dict[str, dict[str, Any]] = {
            "whole": {"workspace": "default"},
            "narrow": {"workspace": "default", "project": demo},
            "team": {"workspace": wall.json()["id"]},
        }
        for name, grant in grants.items():
            server.keys[name] = await server.services.people.api_keys.create(
                name=name, role=Role.ADMIN, **grant
            )
        yield server


async def make(api: ApiServer, key: str = "admin", **fields: object) -> dict[str, str]:
    body = {"name": "ci", "role": "runner", **fields}
    answer = await api.ask("POST", KEYS, key=key, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_is_shown_once_and_opens_what_it_was_made_for(api: ApiServer) -> None:
    made = await make(api, project="demo")
    assert made.keys() == {"id", "key"}
    secret = made["key"].split(".")[2]
    assert (await api.ask("GET", f"{BASE}/demo/runs", key=made["key"])).status_code == 200
    assert (await api.ask("PATCH", f"{BASE}/demo", key=made["key"], json={})).status_code == 403
    assert (await api.ask("GET", f"{BASE}/other", key=made["key"])).status_code == 404
    listed = await api.ask("GET", f"{KEYS}?workspace=default")
    (info,) = [one for one in listed.json()["api_keys"] if one["id"] == made["id"]]
    assert (info["name"], info["role"], info["operator"], info["revoked_at"]) == ("ci", "runner", False, None)
    assert info["created_by"] == api.keys["admin"].split(".")[1]
    assert info["last_used_at"]
    log = await api.ask("GET", "/v1/workspaces/default/audit?action=key.create")
    (entry,) = log.json()["entries"]
    assert entry["target"] == f"{made['id']}:runner"
    assert secret not in listed.text + log.text


async def test_a_revoked_key_opens_nothing_and_stays_in_the_list(api: ApiServer) -> None:
    made = await make(api)
    for _ in range(2):
        assert (await api.ask("DELETE", f"{KEYS}/{made['id']}")).status_code == 204
    assert (await api.ask("GET", BASE, key=made["key"])).status_code == 401
    listed = (await api.ask("GET", KEYS)).json()["api_keys"]
    assert [one["revoked_at"] is None for one in listed if one["id"] == made["id"]] == [False]


async def test_a_key_ends_when_it_was_said_to(api: ApiServer) -> None:
    made = await make(api, expires_in_s=3600)
    listed = (await api.ask("GET", KEYS)).json()["api_keys"]
    (info,) = [one for one in listed if one["id"] == made["id"]]
    assert info["expires_at"] > info["created_at"]


@pytest.mark.parametrize(
    ("key", "fields", "status", "kind"),
    [
        ("viewer", {}, 403, "forbidden"),
        ("runner", {"role": "viewer"}, 403, "forbidden"),
        ("narrow", {}, 403, "forbidden"),
        ("narrow", {"project": "other"}, 404, "project-not-found"),
        ("narrow", {"project": "none"}, 404, "project-not-found"),
        ("whole", {"operator": True, "role": "admin"}, 403, "forbidden"),
        ("whole", {"workspace": "team"}, 404, "workspace-not-found"),
        ("whole", {"workspace": "none"}, 404, "workspace-not-found"),
        ("team", {}, 404, "workspace-not-found"),
        ("admin", {"operator": True}, 400, "invalid-input"),
        ("admin", {"role": "owner"}, 400, "invalid-input"),
        ("admin", {"expires_in_s": 0}, 400, "invalid-input"),
        ("narrow", {"project": "demo", "role": "admin"}, 201, None),
        ("whole", {"role": "admin"}, 201, None),
        ("team", {"workspace": "team"}, 201, None),
        ("admin", {"operator": True, "role": "admin"}, 201, None),
    ],
)
async def test_nobody_makes_a_key_for_more_than_they_hold(
    api: ApiServer, key: str, fields: dict[str, object], status: int, kind: str | None
) -> None:
    answer = await api.ask("POST", KEYS, key=key, json={"name": "ci", "role": "runner", **fields})
    assert (answer.status_code, answer.json().get("type")) == (status, kind)


async def test_an_admin_sees_and_revokes_the_keys_within_what_is_theirs(api: ApiServer) -> None:
    wide, narrow = await make(api), await make(api, project="demo")
    seen = {
        who: {one["name"] for one in (await api.ask("GET", KEYS, key=who)).json()["api_keys"]}
        for who in ("admin", "whole", "narrow")
    }
    assert seen["narrow"] == {"ci", "narrow"}
    assert seen["admin"] - seen["whole"] == {"admin"}
    refused = [
        await api.ask("DELETE", f"{KEYS}/{id_}", key=who)
        for id_, who in (
            (wide["id"], "narrow"),
            (wide["id"], "team"),
            (api.keys["admin"].split(".")[1], "whole"),
            ("key_none", "whole"),
        )
    ]
    assert {(one.status_code, one.text) for one in refused} == {(404, refused[0].text)}
    assert (await api.ask("DELETE", f"{KEYS}/{narrow['id']}", key="narrow")).status_code == 204
    assert (await api.ask("GET", KEYS, key="viewer")).status_code == 403
    assert (await api.ask("GET", KEYS, key="team")).status_code == 404
