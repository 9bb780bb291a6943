"""How the servers of a trial die: chosen by its seed, such that a hundred seeds come to every edge."""

from __future__ import annotations

import random

from chaos.replica import UNDISTURBED, Life

from daftray.domain import ports
from daftray.server.failpoints import points_of

PORTS: dict[str, type] = {
    "runs": ports.RunStore,
    "reports": ports.ReportStore,
    "projects": ports.ProjectStore,
    "secrets": ports.SecretStore,
    "keys": ports.KeyStore,
    "blobs": ports.BlobStore,
    "rayjobs": ports.RayJobs,
    "mirrors": ports.GitMirrors,
    "packages": ports.Packages,
}
"""The ports that the wiring puts failpoints around, by the names that it gives them."""

_READS = {
    *("runs.get", "runs.list", "runs.events", "runs.added_under", "runs.any_queued", "runs.queue_place"),
    *("runs.project_of", "runs.latest_of_tasks", "runs.load", "secrets.not_under", "keys.list"),
    *("reports.reports", "reports.result", "reports.totals", "mirrors.files", "mirrors.changes"),
    *("projects.get", "projects.by_id", "projects.list", "secrets.list", "keys.get", "mirrors.names"),
    *(
        "blobs.get",
        "blobs.size",
        "rayjobs.info",
        "rayjobs.get",
        "rayjobs.list_jobs",
        "rayjobs.resources",
        "rayjobs.nodes",
        "rayjobs.read_log",
    ),
}
"""Calls that change nothing outside: their edges are met by chance, the others' on purpose."""

_NOT_IN_A_TRIAL = {
    *("projects.save", "projects.delete", "secrets.put", "secrets.delete", "secrets.reseal", "keys.revoke"),
    *("mirrors.close", "mirrors.refresh", "packages.from_directory", "packages.empty"),
    *("rayjobs.delete", "rayjobs.stop"),
}
"""Changes that no trial asks for: projects, secrets and keys stay as they are, and runs come from Git."""


ON_PURPOSE, BY_CHANCE = 0.65, 0.85
"""Up to which share of chance a life ends at a chosen edge, and up to which at any; the others are shot."""


def changing_points() -> list[str]:
    """Return every edge at which a trial can change something outside, in a fixed order."""
    points = [point for name, port in PORTS.items() for point in points_of(name, port)]
    points += ["database.migrate:before", "database.migrate:after"]
    return [point for point in points if point.partition(":")[0] not in _READS | _NOT_IN_A_TRIAL]


def chance_of(seed: str) -> random.Random:
    """Return the chance that a seed stands for."""
    return random.Random(seed)  # noqa: S311 (repeatable on purpose)


def lives_of(seed: int, replica: int, *, deaths: int) -> list[Life]:
    """Return the lives of one server of a trial that end before their time."""
    chance = chance_of(f"lives/{seed}/{replica}")
    points = changing_points()
    # Shuffled the same way for all seeds, and gone through from one to the next.
    chance_of("points").shuffle(points)
    lives: list[Life] = []
    for number in range(deaths):
        kind = chance.random()
        seeded = f"seed={seed}.{replica}.{number}"
        if kind < ON_PURPOSE:
            point = points[(seed * deaths + number + replica * 7) % len(points)]
            spec = f"{point}={chance.choice([1, 1, 1, 2, 3])};rate=0.001;{seeded}"
            lives.append(Life(spec, killed_after_s=chance.uniform(12, 20)))
        elif kind < BY_CHANCE:
            lives.append(Life(f"rate=0.03;{seeded}", killed_after_s=chance.uniform(5, 10)))
        else:
            lives.append(Life(UNDISTURBED, killed_after_s=chance.uniform(1.5, 7)))
    return lives
