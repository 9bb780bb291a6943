"""Users, members and workspaces over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_server import BASE, ApiServer, api_server

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.principal import Role

WORKSPACE = "/v1/workspaces/default"
PASSWORD = "correct horse battery"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def add(api: ApiServer, name: str, **fields: object) -> str:
    """Make a user; return the id."""
    answer = await api.ask("POST", "/v1/users", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_user_is_made_listed_changed_and_removed(api: ApiServer) -> None:
    ada = await add(api, "Ada@example.com", password=PASSWORD)
    await add(api, "bob", subject="https://id.example|7", operator=True)
    listed = (await api.ask("GET", "/v1/users")).json()
    assert [(one["name"], one["has_password"], one["operator"]) for one in listed["users"]] == [
        ("ada@example.com", True, False),
        ("bob", False, True),
    ]
    assert PASSWORD not in (await api.ask("GET", "/v1/users")).text
    off = await api.ask("PATCH", "/v1/users/ADA@example.com", json={"disabled": True})
    assert (off.status_code, off.json()["disabled_at"] is None) == (200, False)
    assert (await api.ask("DELETE", f"/v1/users/{ada}")).status_code == 204
    gone = await api.ask("DELETE", f"/v1/users/{ada}")
    assert (gone.status_code, gone.json()["type"]) == (404, "user-not-found")
    actions = [
        (one["action"], one["target"]) for one in (await api.ask("GET", "/v1/audit")).json()["entries"]
    ]
    assert actions[:2] == [("user.delete", ada), ("user.update", ada)]


async def test_users_come_in_pages(api: ApiServer) -> None:
    for name in ("cleo", "ada", "bob"):
        await add(api, name)
    first = (await api.ask("GET", "/v1/users?limit=2")).json()
    second = (await api.ask("GET", f"/v1/users?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["name"] for one in first["users"] + second["users"]] == ["ada", "bob", "cleo"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ada", "password": "short"},
        {"name": "no spaces"},
        {"name": "me"},
        {"name": "ada", "passwort": PASSWORD},
        {},
    ],
)
async def test_what_is_no_user_is_refused_and_no_password_comes_back(
    api: ApiServer, body: dict[str, str]
) -> None:
    answer = await api.ask("POST", "/v1/users", json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")
    assert body.get("password", PASSWORD) not in answer.text


async def test_a_name_is_one_persons(api: ApiServer) -> None:
    await add(api, "ada")
    answer = await api.ask("POST", "/v1/users", json={"name": "ADA"})
    assert (answer.status_code, answer.json()["type"]) == (409, "name-taken")


async def test_a_program_has_no_password_to_change(api: ApiServer) -> None:
    body = {"old": PASSWORD, "new": PASSWORD + "2"}
    assert (await api.ask("POST", "/v1/users/me/password", json=body)).status_code == 400


async def test_members_are_given_listed_and_taken(api: ApiServer) -> None:
    ada, bob = await add(api, "ada"), await add(api, "bob")
    project = (await api.ask("GET", f"{BASE}/demo")).json()["id"]
    given = await api.ask("PUT", f"{WORKSPACE}/members/ada", json={"role": "admin"})
    assert given.json() == {"user_id": ada, "name": "ada", "project": None, "role": "admin"}
    await api.ask("PUT", f"{BASE}/demo/members/{bob}", json={"role": "viewer"})
    everywhere = (await api.ask("GET", f"{WORKSPACE}/members")).json()["members"]
    assert [(one["name"], one["project"], one["role"]) for one in everywhere] == [
        ("ada", None, "admin"),
        ("bob", project, "viewer"),
    ]
    of_demo = (await api.ask("GET", f"{BASE}/demo/members")).json()["members"]
    assert [one["name"] for one in of_demo] == ["bob"]
    principal = await api.services.people.users.principal(bob)
    assert (principal.role_in("default", project), principal.role_in("default")) == (Role.VIEWER, None)
    assert (await api.ask("DELETE", f"{BASE}/demo/members/bob")).status_code == 204
    for missing in ("bob", "nobody"):
        answer = await api.ask("DELETE", f"{BASE}/demo/members/{missing}")
        assert (answer.status_code, answer.json()["type"]) == (404, "member-not-found")
    unknown = await api.ask("PUT", f"{WORKSPACE}/members/nobody", json={"role": "viewer"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "user-not-found")
    assert (await api.ask("PUT", f"{WORKSPACE}/members/ada", json={"role": "owner"})).status_code == 400


async def test_the_last_admin_of_a_workspace_is_taken_by_operators_alone(api: ApiServer) -> None:
    await add(api, "ada")
    await api.ask("PUT", f"{WORKSPACE}/members/ada", json={"role": "admin"})
    key = await api.services.people.api_keys.create(name="k", workspace="default", role=Role.ADMIN)
    for method, body in (("PUT", {"role": "viewer"}), ("DELETE", None)):
        answer = await api.ask(method, f"{WORKSPACE}/members/ada", key=key, json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert (await api.ask("DELETE", f"{WORKSPACE}/members/ada")).status_code == 204


async def test_a_workspace_is_made_and_seen_by_who_has_something_in_it(api: ApiServer) -> None:
    made = await api.ask("POST", "/v1/workspaces", json={"name": "team"})
    assert (made.status_code, made.json()["name"]) == (201, "team")
    key = await api.services.people.api_keys.create(
        name="k", workspace=made.json()["id"], role=Role.VIEWER, project="prj_none"
    )
    for who, names in (("admin", ["default", "team"]), ("viewer", ["default"]), (key, ["team"])):
        listed = (await api.ask("GET", "/v1/workspaces", key=who)).json()["workspaces"]
        assert [one["name"] for one in listed] == names
    assert (await api.ask("GET", "/v1/workspaces/team", key=key)).json() == made.json()
    for name in ("team", "none"):
        answer = await api.ask("GET", f"/v1/workspaces/{name}", key="viewer")
        assert (answer.status_code, answer.json()["type"]) == (404, "workspace-not-found")
    again = await api.ask("POST", "/v1/workspaces", json={"name": "team"})
    assert (again.status_code, again.json()["type"]) == (409, "name-taken")


async def test_projects_are_listed_as_far_as_they_are_the_callers(api: ApiServer) -> None:
    for name in ("a", "b"):
        await api.ask("POST", BASE, json={"name": name, "source": {"git": {"remote": api.repo.url}}})
    project = (await api.ask("GET", f"{BASE}/b")).json()["id"]
    key = await api.services.people.api_keys.create(
        name="k", workspace="default", role=Role.ADMIN, project=project
    )
    pages = [(await api.ask("GET", f"{BASE}?limit=1&offset={at}", key=key)).json() for at in (0, 1)]
    assert [[one["name"] for one in page["projects"]] for page in pages] == [["b"], []]
    assert (await api.ask("POST", BASE, key=key, json={})).status_code == 403


async def test_who_is_disabled_is_no_caller_from_then_on(api: ApiServer) -> None:
    ada = await add(api, "ada", password=PASSWORD)
    await api.ask("PUT", f"{WORKSPACE}/members/ada", json={"role": "admin"})
    key = await api.services.people.api_keys.create(
        name="k", workspace="default", role=Role.ADMIN, created_by=ada
    )
    assert (await api.ask("GET", BASE, key=key)).status_code == 200
    await api.ask("PATCH", "/v1/users/ada", json={"disabled": True})
    assert (await api.ask("GET", BASE, key=key)).status_code == 401
    with pytest.raises(UnauthenticatedError):
        await api.services.people.users.verify("ada", PASSWORD)
