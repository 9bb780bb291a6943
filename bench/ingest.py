"""What it costs a server when many processes of a run report at once, and whether any report is lost.

A server with no cluster takes the reports of runs of 10, 50, 200 and 800 processes, one run after the other.
Every process counts on, sends six series that have grown, and waits for as long as it is told to, half a
second at least: what the runner does. The figures are those of the time after the first seconds, in which it
settles.

    python bench/ingest.py [SECONDS]
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from daftray.adapters.db.database import Database
from daftray.adapters.db.run_store import SqlRunStore
from daftray.adapters.gitrepo.seed import repository_of
from daftray.adapters.vault.key_ring import KeyRing
from daftray.identity.run_tokens import RunTokens
from daftray.server.child import ChildServer, child_server

SECONDS = 30.0
SETTLING_S = 12.0
PROCESSES = (10, 50, 200, 800)
USUAL_S = 0.5
MASTER_KEY = "benchmark-" * 4
PATH = "/v1/workspaces/default/projects"
SERIES: tuple[tuple[str, dict[str, str]], ...] = (
    ("daftray.requests", {"daftray.outcome": "ok"}),
    ("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}),
    ("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}),
    ("daftray.user.rows", {}),
    ("process.cpu.time", {"cpu.mode": "user"}),
    ("process.cpu.time", {"cpu.mode": "system"}),
)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a number of processes cost, by the second."""

    processes: int
    reports: float
    cpu: float
    written_kib: float
    exact: bool


def report(process: int, count: int) -> bytes:
    """Return what the runner of a process sends that has counted so far."""

    def attributes(pairs: dict[str, str]) -> list[dict[str, Any]]:
        return [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]

    sums = [
        {
            "name": name,
            "sum": {
                "aggregationTemporality": 2,
                "isMonotonic": True,
                "dataPoints": [{"attributes": attributes(pairs), "asInt": str(count)}],
            },
        }
        for name, pairs in SERIES
    ]
    resource = {"attributes": attributes({"daftray.process": f"host-{process}-1"})}
    scope = {"scope": {"name": "daftray.runner"}, "metrics": sums}
    return json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}).encode()


class Reporters:
    """The processes of one run."""

    def __init__(self, http: httpx.AsyncClient, token: str, processes: int) -> None:
        self._http, self._token, self._processes = http, token, processes
        self._stop = asyncio.Event()
        self.reports = 0

    async def measured(self, server: psutil.Process, seconds: float) -> tuple[float, ...]:
        """Return reports, seconds of the server's CPU, and KiB that it wrote, each by the second."""
        tasks = [asyncio.create_task(self._go_on(number)) for number in range(self._processes)]
        await asyncio.sleep(SETTLING_S)
        before, began = self._now(server), time.perf_counter()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - began
        after = self._now(server)
        self._stop.set()
        await asyncio.gather(*tasks)
        return tuple((later - first) / took for first, later in zip(before, after, strict=True))

    def _now(self, server: psutil.Process) -> tuple[float, ...]:
        cpu = server.cpu_times()
        return (self.reports, cpu.user + cpu.system, server.io_counters().write_bytes / 1024)

    async def _go_on(self, number: int) -> None:
        await asyncio.sleep(random.random() * USUAL_S)  # noqa: S311 (no secret)
        count = 0
        while not self._stop.is_set():
            count += 1
            wait_s = await self._send(number, count)
            try:
                await asyncio.wait_for(self._stop.wait(), max(wait_s, USUAL_S))
            except TimeoutError:
                continue
        await self._send(number, 1000)

    async def _send(self, number: int, count: int) -> float:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            answer = await self._http.post(
                "/v1/ingest/otlp/v1/metrics", content=report(number, count), headers=headers
            )
        except httpx.TransportError:  # a kept connection that the server closed just now
            return await self._send(number, count)
        self.reports += 1
        return float(answer.raise_for_status().headers.get("retry-after", 0))


async def loads(server: ChildServer, data: Path, repository: Path, seconds: float) -> list[Load]:
    database = data / "daftray.db"
    tokens = RunTokens(
        keys=KeyRing.of(MASTER_KEY.encode()).keys("run tokens"),
        runs=SqlRunStore(Database(f"sqlite:///{database}")),
    )
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    found: list[Load] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as http:
        key = {"Authorization": f"Bearer {server.api_key}"}
        project = {"name": "bench", "source": {"git": {"remote": str(repository)}}}
        (await http.post(PATH, json=project, headers=key)).raise_for_status()
        for processes in PROCESSES:
            body = {"entrypoint": {"file": {"file_path": "main.py"}}}
            run = (await http.post(f"{PATH}/bench/runs", json=body, headers=key)).json()["run"]["id"]
            reporters = Reporters(http, tokens.issue(run, 1), processes)
            figures = await reporters.measured(psutil.Process(server.pid), seconds)
            told = (await http.get(f"{PATH}/bench/runs/{run}/metrics", headers=key)).json()
            exact = told["requests"] == told["tokens_in"] == 1000 * processes
            reports, cpu, written = figures
            found.append(
                Load(processes=processes, reports=reports, cpu=cpu, written_kib=written, exact=exact)
            )
    return found


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="daftray-bench-") as folder:
        source, data = Path(folder) / "src", Path(folder) / "data"
        source.mkdir()
        (source / "main.py").write_text("print('hello')\n")
        repository = Path(folder) / "repo"
        repository_of(source, repository)
        options = ["--ray", "none", "--allow-local-remotes"]
        variables = {"DAFTRAY_MASTER_KEY": MASTER_KEY}
        with child_server(data, options=options, variables=variables) as server:
            found = asyncio.run(loads(server, data, repository, seconds))
    print("| processes | reports a second | server CPU, cores | written, KiB a second | totals exact |")
    print("|---|---|---|---|---|")
    for load in found:
        exact = "yes" if load.exact else "NO"
        print(
            f"| {load.processes} | {load.reports:.0f} | {load.cpu:.2f} | {load.written_kib:.0f} | {exact} |"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
