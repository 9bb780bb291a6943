"""Every page of the site, by what it is called, for tests that look at all of them."""

from __future__ import annotations

from collections.abc import Mapping

from daftray.domain.run import Run

PROJECT = "/projects/default/e2e"

NAMES = (
    "projects",
    "runs",
    "runs found",
    "no runs found",
    "new run",
    "tasks",
    "secrets",
    "data sources",
    "catalogs",
    "clusters",
    "members",
    "API keys",
    "audit log",
    "settings",
    "details",
    "log",
    "no problems",
    "table",
    "metrics",
    "run again",
    "failed details",
    "problems",
    "problem",
    "no result",
    "nothing counted",
    "compare",
    "no such page",
    "device",
)


def addresses(runs: Mapping[str, Run], problem: str) -> dict[str, str]:
    """Return the address of each page of `NAMES`. ``problem`` is the fingerprint of the failed run's."""
    table, failed, hello = (f"{PROJECT}/runs/{runs[name].id}" for name in ("table", "failed", "hello"))
    plain = {
        "projects": "/projects",
        "runs found": f"{PROJECT}/runs?q=greeting",
        "no runs found": f"{PROJECT}/runs?q=nothing-is-called-so",
        "new run": f"{PROJECT}/new-run",
        "details": table,
        "log": f"{hello}/logs",
        "no problems": f"{table}/problems",
        "table": f"{table}/results",
        "metrics": f"{table}/metrics",
        "run again": f"{table}/again",
        "failed details": failed,
        "problems": f"{failed}/problems",
        "problem": f"{failed}/problems/{problem}",
        "no result": f"{failed}/results",
        "nothing counted": f"{hello}/metrics",
        "compare": f"{PROJECT}/compare?a={runs['hello'].id}&b={runs['table'].id}",
        "no such page": f"{PROJECT}/runs/run_01m00000000000000000000000",
        "device": "/device",
    }
    parts = ("runs", "tasks", "secrets", "clusters", "members", "settings")
    named = {part: f"{PROJECT}/{part}" for part in parts}
    more = {
        "data sources": "data-sources",
        "catalogs": "catalogs",
        "API keys": "api-keys",
        "audit log": "audit-log",
    }
    return {**plain, **named, **{name: f"{PROJECT}/{part}" for name, part in more.items()}}
