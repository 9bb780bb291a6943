"""How long a list, a filter and a look at one run take with a million runs, on SQLite and on PostgreSQL.

A database of each kind is filled with made-up runs (``daftray admin seed``), and a server started on each.
Every query is asked of both in turn, over HTTP, as a page of fifty. Times are those of whole requests, in
milliseconds; those of the web interface's list, which takes the same queries, are of its first byte.

    PYTHONPATH=tests python bench/listing.py [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from places.databases import Place, both_databases

from daftray.server.child import child_server

RUNS = 1_000_000
ROUNDS = 100
WARM_UP = 3
PROJECT = "seed-reviews"
PATH = f"/v1/workspaces/default/projects/{PROJECT}/runs"
WEB = f"/projects/default/{PROJECT}/runs"

Query = dict[str, Any]


def fill(place: Place, runs: int) -> None:
    command = [
        sys.executable,
        "-m",
        "daftray",
        "admin",
        "seed",
        "--runs",
        str(runs),
        "--data-dir",
        place.data,
    ]
    print(f"{place.name}:", flush=True)
    subprocess.run(command, check=True, env={**os.environ, **place.variables})


@contextmanager
def served(place: Place) -> Generator[httpx.Client]:
    with child_server(place.data, options=["--ray", "none"], variables=place.variables) as server:
        headers = {"Authorization": f"Bearer {server.api_key}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client:
            yield client


class Known:
    """What the queries are made of: parts of runs that are there."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        now = datetime.now(UTC)
        self.days_ago = {days: (now - timedelta(days=days)).isoformat() for days in (2, 60, 61, 100, 150)}
        (self.middle, *_) = self._list(created_before=self.days_ago[100], limit=1)
        (self.oldest, *_) = self._list(created_before=(now - timedelta(days=179)).isoformat(), limit=1)
        self.incident = self._incident()

    def _list(self, **query: Any) -> list[Any]:
        return self._client.get(PATH, params=query).raise_for_status().json()["runs"]

    def _incident(self) -> str:
        """Return a label that one run has."""
        cursor: dict[str, str] = {}
        for _ in range(100):
            runs = self._list(limit=200, **cursor)
            for run in runs:
                if "incident" in run["labels"]:
                    return run["labels"]["incident"]
            cursor = {"cursor": runs[-1]["id"]}
        return "inc-none"

    def queries(self) -> dict[str, Query]:
        """Return what is asked, by what it is."""
        return {**self._filters(), **self._texts()}

    def _filters(self) -> dict[str, Query]:
        days, cursor = self.days_ago, self.middle["id"]
        return {
            "newest": {},
            "newest, from a cursor in the middle": {"cursor": cursor},
            "status failed": {"status": "failed"},
            "status running (none)": {"status": "running"},
            "status cancelled, cursor": {"status": "cancelled", "cursor": cursor},
            "trigger cron": {"trigger": "cron"},
            "trigger that none has": {"trigger": "api"},
            "label of a quarter": {"label": "team=ml"},
            "label of one run": {"label": f"incident={self.incident}"},
            "label that none has": {"label": "team=none"},
            "two labels": {"label": ["team=ml", "env=prod"]},
            "three labels": {"label": ["team=ml", "env=prod", "pipeline=score"]},
            "two labels that never meet": {"label": ["team=data", "pipeline=embed"]},
            "status and trigger": {"status": "failed", "trigger": "webhook"},
            "status and label": {"status": "cancelled", "label": "team=data"},
            "running, with a label (none)": {"status": "running", "label": "team=ml"},
            "trigger and label that never meet": {"trigger": "manual", "label": "pipeline=embed"},
            "status, trigger, two labels": {
                "status": "failed",
                "trigger": "cron",
                "label": ["team=ml", "env=prod"],
            },
            "created after": {"created_after": days[2]},
            "created before": {"created_before": days[100]},
            "a day": {"created_after": days[61], "created_before": days[60]},
            "created before, and failed": {"created_before": days[150], "status": "failed"},
            "offset 10,000": {"offset": 10_000},
        }

    def _texts(self) -> dict[str, Query]:
        days, cursor, commit = self.days_ago, self.middle["id"], self.oldest["commit"]
        return {
            "text in most runs": {"q": "e"},
            "text in a third": {"q": "score"},
            "text in old runs alone": {"q": "load_v1"},
            "text in none": {"q": "nowhere"},
            "text in none, its parts in many": {"q": "score nightly"},
            "text of two characters": {"q": "py"},
            "text of one, in none": {"q": "ж"},
            "short commit, of the oldest": {"q": commit[:10]},
            "whole commit, of the oldest": {"q": commit},
            "text and status": {"q": "load_v1", "status": "failed"},
            "text, status, trigger": {"q": "load_v1", "status": "cancelled", "trigger": "webhook"},
            "text and label that never meet": {"q": "load_v1", "label": "team=ml"},
            "text and trigger that never meet": {"q": "nightly", "trigger": "manual"},
            "text of old runs, created lately": {"q": "load_v1", "created_after": days[60]},
            "text, cursor": {"q": "score", "cursor": cursor},
        }


def answered(client: httpx.Client, path: str, query: Query) -> tuple[float, int]:
    """Return the milliseconds that an answer took, and how many runs it holds."""
    began = time.perf_counter()
    answer = client.get(path, params=query)
    took = (time.perf_counter() - began) * 1000
    body = answer.raise_for_status().json()
    return took, len(body.get("runs", [body]))


def first_byte(client: httpx.Client, query: Query) -> tuple[float, int]:
    """Return the milliseconds to the first byte of the list's web page, and how many runs are on it."""
    began = time.perf_counter()
    with client.stream("GET", WEB, params=query, headers={"accept": "text/html"}) as answer:
        parts = answer.raise_for_status().iter_bytes()
        first = next(parts)
        took = (time.perf_counter() - began) * 1000
        return took, b"".join([first, *parts]).count(b'<tr id="run_')


def measure(clients: dict[str, httpx.Client]) -> None:
    known = {name: Known(client) for name, client in clients.items()}
    asked = {
        name: {title: (PATH, query) for title, query in one.queries().items()} for name, one in known.items()
    }
    for name, one in known.items():
        for title, run in (("one run", one.middle), ("history of one run", one.oldest)):
            rest = "/events" if "history" in title else ""
            asked[name][title] = (f"{PATH}/{run['id']}{rest}", {})
    head(clients)
    for title in next(iter(known.values())).queries():
        ways = {name: partial(first_byte, client, asked[name][title][1]) for name, client in clients.items()}
        tell(f"page: {title}", ways)
    for title in next(iter(asked.values())):
        tell(
            title, {name: partial(answered, client, *asked[name][title]) for name, client in clients.items()}
        )


def head(clients: Collection[str]) -> None:
    heads = " | ".join(f"{name} p50 | p99" for name in clients)
    print(f"| query | runs | {heads} |")
    print(f"|---|---|{'---|---|' * len(clients)}", flush=True)


def tell(title: str, ways: dict[str, Callable[[], tuple[float, int]]]) -> None:
    """Ask in each way in turn, and print how long it took and how many runs there were."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    found = 0
    for number in range(-WARM_UP, ROUNDS):
        for name, way in ways.items():
            took, found = way()
            if number >= 0:
                times[name].append(took)
    cells = " | ".join(f"{statistics.median(of):.1f} | {percentile(of, 99):.1f}" for of in times.values())
    print(f"| {title} | {found} | {cells} |", flush=True)


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def main(runs: int) -> None:
    with both_databases() as places, ExitStack() as stack:
        with ThreadPoolExecutor(len(places)) as filling:
            list(filling.map(partial(fill, runs=runs), places))
        measure({place.name: stack.enter_context(served(place)) for place in places})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
