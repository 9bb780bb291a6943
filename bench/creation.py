"""How many runs a second can be created, at once and one by one, on SQLite and on PostgreSQL.

A server with no cluster takes a thousand runs by one call, then by a thousand calls, one after the other and
over ten connections. It pins their commits meanwhile, as it always does; how long it takes until all of them
wait in the queue is measured as well.

    PYTHONPATH=tests python bench/creation.py [RUNS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from places.databases import Place, both_databases

from daftray.adapters.gitrepo.seed import repository_of
from daftray.server.child import ChildServer, child_server

RUNS = 1000
CONNECTIONS = 10
POLL_S = 0.2
PATIENCE_S = 600
PATH = "/v1/workspaces/default/projects"
BODY: dict[str, Any] = {
    "entrypoint": {"file": {"file_path": "main.py", "argv": ["--limit", "100"]}},
    "labels": {"team": "ml", "env": "prod"},
}


class Taker:
    """A server that takes runs, each kind of them in a project of its own."""

    def __init__(self, server: ChildServer, repository: Path, runs: int) -> None:
        headers = {"Authorization": f"Bearer {server.api_key}"}
        limits = httpx.Limits(max_connections=CONNECTIONS)
        self._http = httpx.AsyncClient(base_url=server.url, headers=headers, timeout=120, limits=limits)
        self._repository = repository
        self._runs = runs

    async def rates(self) -> list[float]:
        """Return runs a second: at once, one by one, over many connections, and until all are queued."""
        async with self._http:
            at_once = await self._timed("at-once", self._at_once)
            queued = await self._until_queued("at-once", since=time.perf_counter())
            one_by_one = await self._timed("one-by-one", self._one_by_one)
            await self._until_queued("one-by-one", since=time.perf_counter())
            side_by_side = await self._timed("side-by-side", self._side_by_side)
            return [at_once, one_by_one, side_by_side, queued]

    async def _timed(self, project: str, create: Callable[[str], Awaitable[None]]) -> float:
        source = {"git": {"remote": str(self._repository)}}
        made = await self._http.post(PATH, json={"name": project, "source": source})
        made.raise_for_status()
        began = time.perf_counter()
        await create(f"{PATH}/{project}/runs")
        return self._runs / (time.perf_counter() - began)

    async def _at_once(self, path: str) -> None:
        answer = await self._http.post(f"{path}:batch", json={"runs": [BODY] * self._runs})
        answer.raise_for_status()

    async def _one_by_one(self, path: str) -> None:
        for _ in range(self._runs):
            (await self._http.post(path, json=BODY)).raise_for_status()

    async def _side_by_side(self, path: str) -> None:
        some = asyncio.Semaphore(CONNECTIONS)

        async def create() -> None:
            async with some:
                (await self._http.post(path, json=BODY)).raise_for_status()

        await asyncio.gather(*(create() for _ in range(self._runs)))

    async def _until_queued(self, project: str, *, since: float) -> float:
        """Wait until no run is left whose commit is not pinned."""
        while time.perf_counter() - since < PATIENCE_S:
            if not await self._any_unpinned(f"{PATH}/{project}/runs"):
                return self._runs / (time.perf_counter() - since)
            await asyncio.sleep(POLL_S)
        return 0.0

    async def _any_unpinned(self, path: str) -> bool:
        cursor: str | None = ""
        while cursor is not None:
            page = {"limit": "200", **({"cursor": cursor} if cursor else {})}
            answer = await self._http.get(path, params=page)
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE.value:
                return True  # it is busy, which is what is waited for
            answer = answer.raise_for_status().json()
            if any(run["phase"] == "pinning" for run in answer["runs"]):
                return True
            cursor = answer["next_cursor"]
        return False


def rates_of(place: Place, repository: Path, runs: int) -> list[float]:
    options = ["--ray", "none", "--allow-local-remotes"]
    with child_server(place.data, options=options, variables=place.variables) as server:
        return asyncio.run(Taker(server, repository, runs).rates())


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="daftray-bench-") as folder, both_databases() as places:
        source = Path(folder) / "src"
        source.mkdir()
        (source / "main.py").write_text("print('hello')\n")
        repository = Path(folder) / "repo"
        repository_of(source, repository)
        rates = {place.name: rates_of(place, repository, runs) for place in places}
    print(f"| {runs:,} runs | {' | '.join(f'{name}, runs a second' for name in rates)} |")
    print(f"|---|{'---|' * len(rates)}")
    kinds = (
        "by one call",
        "one call after the other",
        f"over {CONNECTIONS} connections",
        "pinned and queued",
    )
    for number, kind in enumerate(kinds):
        print(f"| {kind} | {' | '.join(f'{of[number]:,.0f}' for of in rates.values())} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
