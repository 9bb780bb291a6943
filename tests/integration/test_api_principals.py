"""The table of ``docs/access.md``: every route with every kind of foreign caller, and nothing given away."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server
from litestar.routes import HTTPRoute
from sqlalchemy import event
from sqlalchemy.engine import Engine

from daftray.domain.principal import Role
from daftray.server.app import create_app

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "access.md"
LINE = re.compile(r"^\| `(/\S*)` \| ([A-Z, ]+) \| ([a-z ]+) \|$", re.MULTILINE)
ROLES = ("viewer", "runner", "admin")
DEMO = f"{BASE}/demo"
PARAMETER = re.compile(r"{(\w+)}")


def documented() -> dict[tuple[str, str], str]:
    """Return the least that the document says for each method and path."""
    return {
        (method, path): least
        for path, methods, least in LINE.findall(DOCUMENT.read_text(encoding="utf-8"))
        for method in methods.split(", ")
        if method != "WS"  # as its GET; test_api_metrics_socket.py asks it
    }


TABLE = documented()


@dataclass
class World:
    """A server with one of everything in ``demo``, and callers of every kind."""

    api: ApiServer
    there: dict[str, str] = field(default_factory=dict[str, str])
    """What a path's parameters may name that is there."""
    keys: dict[str, str] = field(default_factory=dict[str, str])

    async def ask(self, method: str, path: str, caller: str | None, names: dict[str, str]) -> httpx.Response:
        key = self.keys[caller] if caller else None
        body: dict[str, Any] = {} if method == "GET" else {"json": {}}
        return await self.api.ask(method, path.format_map(names), key=key, **body)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with api_server(tmp_path) as api:
        yield await inhabited(api)


async def inhabited(api: ApiServer) -> World:
    world, run, other = World(api), *[await api.create_run() for _ in range(2)]
    keys = api.services.people.api_keys
    made = {
        "task": ("tasks", {"name": "nightly", **RUN_BODY, "source": {"git": {"remote": api.repo.url}}}),
        "data_source": ("data-sources", {"name": "orders", "info": {"csv": {"paths": ["s3://b/k"]}}}),
        "catalog": ("catalogs", {"name": "lake", "info": {"iceberg": {"properties": {}}}}),
    }
    for name, (path, body) in made.items():
        answer = await api.ask("POST", f"{DEMO}/{path}", json=body)
        assert answer.status_code == 201, answer.text
        world.there[name] = answer.json()["id"]
    user = await api.ask("POST", "/v1/users", json={"name": "ann", "password": "a long enough password"})
    assert user.status_code == 201, user.text
    await api.ask("PUT", f"{DEMO}/secrets/TOKEN", json={"value": "long enough"})
    world.there |= {"workspace": "default", "project": "demo", "run": run["id"], "name": "TOKEN"}
    world.there |= {"app": world.there["task"], "user": user.json()["id"], "path": "main.py"}
    world.there |= {
        "fingerprint": "f" * 16,
        "version": "0" * 16,
        "secret_of_path": "x" * 16,
        "key": api.keys["viewer"].split(".")[1],
    }
    source = {"git": {"remote": api.repo.url}}
    neighbours = (await api.ask("POST", BASE, json={"name": "other", "source": source})).json()["id"]
    now = api.services.clock.now()
    new = partial(keys.create, role=Role.ADMIN, workspace="default")
    world.keys = {
        **api.keys,
        "wrong": f"{api.keys['admin']}x",
        "expired": await new(name="e", expires_at=now - timedelta(seconds=1)),
        "revoked": await new(name="r"),
        "neighbour": await new(name="n", project=neighbours),
        "plain admin": await new(name="p"),
        "another run": api.token(other),
    }
    await api.ask("DELETE", f"/v1/api-keys/{world.keys['revoked'].split('.')[1]}")
    return world


async def test_the_document_has_every_route(world: World) -> None:
    routes = {
        (method, re.sub(r":[a-z]+}", "}", route.path))
        for route in create_app(world.api.services).routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS"}
    }
    assert routes == TABLE.keys()


def expected(caller: str | None, path: str, least: str) -> int | None:
    """Return what the document has a caller answered who must not pass, or nothing where they may."""
    if least in {"anybody", "its secret"}:
        return None
    if caller in {None, "wrong", "expired", "revoked"}:
        return 401
    if least == "credentials":
        return None
    if least == "the run":
        return _on_a_runs_route(caller, path)
    if caller == "another run" or least == "operator":
        return 403
    return _in_a_workspace(caller, path, least) if "{workspace}" in path else None


def _on_a_runs_route(caller: str | None, path: str) -> int | None:
    if caller != "another run":
        return 403
    return 401 if "{run}" in path else None


def _in_a_workspace(caller: str | None, path: str, least: str) -> int | None:
    if caller == "stranger" or (caller == "neighbour" and "{project}" in path):
        return 404
    held = -1 if caller == "neighbour" else ROLES.index(str(caller).removeprefix("plain "))
    needed = least.removeprefix("workspace ")
    return 403 if needed in ROLES and held < ROLES.index(needed) else None


_ALL = frozenset({"workspace", "project"})
SEEN = {"neighbour": frozenset({"workspace"}), "viewer": _ALL, "runner": _ALL, "plain admin": _ALL}
"""What a caller may see, and so may learn whether it is there."""
CALLERS = (
    *(None, "wrong", "expired", "revoked", "stranger", "neighbour", "viewer", "runner"),
    *("plain admin", "another run"),
)


@pytest.mark.parametrize("caller", CALLERS)
async def test_each_route_answers_each_foreign_caller_as_documented(world: World, caller: str | None) -> None:
    wrong: list[str] = []
    for (method, path), least in TABLE.items():
        status = expected(caller, path, least)
        if status is not None:
            answer = await world.ask(method, path, caller, world.there)
            if answer.status_code != status:
                wrong.append(f"{method} {path}: {answer.status_code} instead of {status}")
    assert not wrong, "\n".join(wrong)


@contextmanager
def statements() -> Generator[list[str]]:
    """Note what the database is asked, without the values."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("caller", CALLERS)
async def test_nothing_tells_a_foreign_caller_what_is_there(world: World, caller: str | None) -> None:
    """Each parameter in turn names what is not there; what the answer may repeat is the path itself."""
    told: list[str] = []
    for (method, path), least in TABLE.items():
        if expected(caller, path, least) is None:
            continue
        for name in set(PARAMETER.findall(path)) - SEEN.get(str(caller), frozenset()):
            absent = {**world.there, name: "run_none" if name == "run" else "none"}
            there = await asked_twice(world, method, path, caller, world.there)
            if there != await asked_twice(world, method, path, caller, absent):
                told.append(f"{method} {path} ({name})")
    assert not told, "\n".join(told)


async def asked_twice(
    world: World, method: str, path: str, caller: str | None, names: dict[str, str]
) -> tuple[object, ...]:
    """Return all that there is to see of an answer, and how the database was asked for it.

    Twice, since what is noted now and then, as a key's last use is, is noted with the first.
    """
    await world.ask(method, path, caller, names)
    with statements() as asked:
        answer = await world.ask(method, path, caller, names)
    return answer.status_code, answer.text, dict(answer.headers), tuple(asked)
