"""The HTTP interface over a real database, real Git and a fake cluster, asked in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fake_ray import FakeRayJobs
from git_repos import GitRepo, make_repo

from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.principal import Role
from daftray.domain.run import Run
from daftray.server.app import create_app
from daftray.server.services import Services
from daftray.server.settings import ServerSettings
from daftray.server.wiring import build

BASE = "/v1/workspaces/default/projects"
RUN_BODY = {"entrypoint": {"file": {"file_path": "main.py"}}}


@dataclass
class ApiServer:
    """The interface, a project ``demo``, and keys of every role by name."""

    http: httpx.AsyncClient
    services: Services
    rayjobs: FakeRayJobs
    repo: GitRepo
    keys: dict[str, str] = field(default_factory=dict[str, str])

    async def ask(self, method: str, path: str, *, key: str | None = "admin", **more: Any) -> httpx.Response:
        """Ask with the key of a role, or with a key itself, or with none. (``more`` is httpx's.)"""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {self.keys.get(key, key)}"
        return await self.http.request(method, path, headers=headers, **more)

    async def create_run(self, **fields: Any) -> dict[str, Any]:
        """Create a run of ``demo``; return it as JSON."""
        answer = await self.ask("POST", f"{BASE}/demo/runs", json={**RUN_BODY, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["run"]

    def token(self, run: dict[str, Any]) -> str:
        """Return the token with which a run reports."""
        return self.services.reconciler._context.tokens.issue(run["id"], 1)

    async def stored(self, run: dict[str, Any]) -> Run:
        """Return a run as it is kept."""
        return await self.services.reconciler._context.runs.get(run["id"])


@asynccontextmanager
async def api_server(folder: Path, **elsewhere: Any) -> AsyncGenerator[ApiServer]:
    """Wire it all in a folder, or with settings that put the database or the blobs elsewhere."""
    repo, rayjobs = make_repo(folder / "repo"), FakeRayJobs()
    services = build(
        ServerSettings(data_dir=folder / "data", allow_local_remotes=True, **elsewhere),
        ring=KeyRing.of(b"master"),
        rayjobs=rayjobs,
        cluster="fake",
        report_url="http://control",
        stopping=asyncio.Event(),
    )
    await services.database.open()
    await services.database.migrate()
    app: Any = create_app(services)  # Litestar and httpx type the same ASGI interface differently
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as http:
        server = ApiServer(http, services, rayjobs, repo)
        for role in Role:
            name = role.name.lower()
            server.keys[name] = await services.people.api_keys.create(
                name=name, workspace="default", role=role, operator=role is Role.ADMIN
            )
        server.keys["stranger"] = await services.people.api_keys.create(
            name="stranger", workspace="other", role=Role.ADMIN
        )
        created = await server.ask(
            "POST", BASE, json={"name": "demo", "source": {"git": {"remote": repo.url}}}
        )
        assert created.status_code == 201, created.text
        yield server
    await services.usage.close()
    await services.problem_ingest.close()
    await services.database.close()
