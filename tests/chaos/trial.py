"""One trial: servers that die while runs are created, cancelled and carried to their ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from chaos.api import Api, RefusedError
from chaos.cuts import CutPath
from chaos.invariants import Created, Witness, left_behind, violations
from chaos.lives import chance_of, lives_of
from chaos.program import LONG_S, PROGRAM, Asked
from chaos.ray_view import RayView
from chaos.replica import Keeper, Replica
from git_repos import make_repo

from daftray.domain.run import Run
from daftray.server.ray_command import free_port

PLACES = 3
"""Runs on the cluster at a time, fewer than there are: some wait in the queue."""
END_WITHIN_S = 150.0
LEASE_S = 4.0
"""Short, so that little time goes by after each death, and so that a busy server loses claims as well."""
MASTER_KEY = "chaos-master-key-chaos-master-key-chaos"  # of no value to anybody


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where trials take place: how many servers, on which database, before which Ray."""

    name: str
    replicas: int
    ray: RayView
    cut_path: CutPath | None = None
    """The way to it, where that is not the straight one."""
    database_url: str | None = None
    runs: int = 6
    deaths: int = 3
    """Of each server."""


@dataclass(kw_only=True)
class Outcome:
    """What a trial came to."""

    seed: int
    setting: str
    seconds: float = 0.0
    deaths: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])
    passed: Counter[str] = field(default_factory=Counter[str])
    killed_at: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    violations: list[str] = field(default_factory=list[str])
    server_errors: list[str] = field(default_factory=list[str])


def asked_of(seed: int, runs: int) -> list[Asked]:
    """Return the runs of a trial, by the time of their creation."""
    chance = chance_of(f"runs/{seed}")
    asked: list[Asked] = []
    for number in range(runs):
        ending = chance.choice(["return", "return", "return", "raise", "cancel", "cancelled soon"])
        created = chance.uniform(0, 3)
        cancelled = {
            "cancel": created + chance.uniform(0, 12),
            "cancelled soon": created + chance.choice([0, chance.uniform(0, 4)]),
        }.get(ending)
        lines = chance.randint(1, 150)
        asked.append(
            Asked(
                name=f"seed-{seed}-run-{number}",
                ending="cancel" if ending == "cancel" else "raise" if ending == "raise" else "return",
                lines=lines,
                pause_s=LONG_S / lines if ending == "cancel" else chance.uniform(0, 3) / lines,
                created_at_s=created,
                cancelled_at_s=cancelled,
            )
        )
    return sorted(asked, key=lambda one: one.created_at_s)


def replicas_of(setting: Setting, folder: Path) -> list[Replica]:
    ray_url = setting.cut_path.url if setting.cut_path else setting.ray.url
    options = ["--ray", ray_url, "--allow-local-remotes", "--max-running", str(PLACES)]
    options += ["--blobs-url", str(folder / "blobs")]
    if setting.database_url is not None:
        options += ["--database-url", setting.database_url]
    variables = {
        "DAFTRAY_CLAIM_LEASE_S": str(LEASE_S),
        "DAFTRAY_RAY_TOKEN": setting.ray.token,
        "DAFTRAY_MASTER_KEY": MASTER_KEY,
    }
    return [
        Replica(
            folder / f"replica-{number}",
            port=free_port(f"{folder} {number}"),
            options=options,
            variables=variables,
        )
        for number in range(setting.replicas)
    ]


def run_trial(seed: int, setting: Setting, folder: Path) -> Outcome:
    """Carry a trial out. What does not hold is in the outcome."""
    outcome = Outcome(seed=seed, setting=setting.name)
    began = time.monotonic()
    books = folder / "books"
    books.mkdir(parents=True)
    repo = make_repo(folder / "repo", {"work.py": PROGRAM})
    replicas = replicas_of(setting, folder)
    lives = [lives_of(seed, number, deaths=setting.deaths) for number in range(len(replicas))]
    with ExitStack() as stack:
        if setting.cut_path is not None:
            for replica in replicas:
                replica.reached_by(stack.enter_context(setting.cut_path.to_server(replica.port)))
        keepers = [
            stack.enter_context(Keeper(replica, its)) for replica, its in zip(replicas, lives, strict=True)
        ]
        api = Api([replica.url for replica in replicas], lambda: replicas[0].admin_key)
        stack.callback(api.close)
        witness = Witness(api, setting.ray, books)
        try:
            api.make_project(repo.url)
            created = _drive(asked_of(seed, setting.runs), api, repo.head, books)
            outcome.violations += _judge(created, witness, outcome)
        except RefusedError as error:
            outcome.violations.append(str(error))
        outcome.deaths = sum(keeper.deaths for keeper in keepers)
    if setting.cut_path is not None:
        outcome.faults = setting.cut_path.hit
        outcome.violations += setting.cut_path.violations()
    _note_servers(replicas, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


def _drive(asked: list[Asked], api: Api, commit: str, books: Path) -> list[Created]:
    """Create and cancel the runs at their times, as far as the servers let us."""
    began = time.monotonic()
    created: dict[str, Created] = {}
    steps = [(one.created_at_s, "create", one) for one in asked]
    steps += [(one.cancelled_at_s, "cancel", one) for one in asked if one.cancelled_at_s is not None]
    for at_s, step, one in sorted(steps, key=lambda step: step[0]):
        time.sleep(max(0.0, began + at_s - time.monotonic()))
        if step == "create":
            run_id = api.create(one, commit, {"CHAOS_FOLDER": str(books)})
            created[one.name] = Created(asked=one, run_id=run_id)
        else:
            api.cancel(created[one.name].run_id)
    return list(created.values())


def _judge(created: list[Created], witness: Witness, outcome: Outcome) -> Iterator[str]:
    deadline = time.monotonic() + END_WITHIN_S
    for one in created:
        name = one.asked.name
        ids = [run.id for run in witness.api.named(name)]
        if ids != [one.run_id]:
            yield f"{name}: its creation was answered with {one.run_id}, there are {ids}"
        last = _ended(one.run_id, witness.api, deadline)
        if last is None:
            yield f"{name} has not ended: {witness.api.get(one.run_id)}"
            continue
        outcome.statuses[last.status] += 1
        yield from violations(one.asked, last, witness)
    yield from left_behind({one.run_id for one in created})


def _ended(run_id: str, api: Api, deadline: float) -> Run | None:
    while not (now := api.get(run_id)).status.terminal:
        if time.monotonic() > deadline:
            return None
        time.sleep(0.3)
    return now


def _note_servers(replicas: list[Replica], outcome: Outcome) -> None:
    for replica in replicas:
        for line in replica.passed.read_text().splitlines() if replica.passed.exists() else []:
            point, _, *action = line.split()
            outcome.passed[point] += 1
            if action:
                outcome.killed_at[point] += 1
        for line in replica.log.read_text(errors="replace").splitlines():
            if '"level":"error"' in line or line.startswith("Traceback"):
                outcome.server_errors.append(line)
