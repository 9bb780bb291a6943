"""A burst of runs on a small machine: all end, in order, and the head lives through it.

Runs whose commits are pinned at the same time come into the queue in any order, so the places are held by
other runs until the whole burst is in line: from there on the order is exact.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from chaos.conftest import SEEDS
from git_repos import make_repo

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, FileEntrypoint, GitSource, RunRequest, Source
from daftray.domain.status import RunPhase, RunStatus
from daftray.server.child import ChildServer, child_server
from daftray.server.local_ray import LocalCluster

BURST = 12 if SEEDS is None else 1000
PLACES = 4
END_WITHIN_S = 120 if SEEDS is None else 3600
_LOOK_S = 1.0

HOLD = """\
import pathlib, sys, time

while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.1)
"""


def ids_of(server: ChildServer, requests: list[RunRequest]) -> list[str]:
    """Create the runs in one call, and once more: the key keeps them from being made twice."""
    bodies = [
        {
            "entrypoint": {"file": {"file_path": "one.py"}},
            "source": {"git": {"hash": request.source.git.hash if request.source.git else ""}},
            "name": request.name,
        }
        for request in requests
    ]
    headers = {"Authorization": f"Bearer {server.api_key}", "Idempotency-Key": "burst"}
    url = f"{server.url}/v1/workspaces/default/projects/burst/runs:batch"
    answers = [
        httpx.post(url, json={"runs": bodies}, headers=headers, timeout=60, trust_env=False) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    first, again = (answer.json()["run_ids"] for answer in answers)
    assert first == again
    return first


def ended(client: Client, ids: list[str]) -> list[Run]:
    """Wait until all have ended; the newest is the last to start."""
    deadline = time.monotonic() + END_WITHIN_S
    for run_id in reversed(ids):
        while not client.runs.get(run_id).status.terminal:
            assert time.monotonic() < deadline, f"still going on: {client.runs.get(run_id)}"
            time.sleep(_LOOK_S)
    return [client.runs.get(run_id) for run_id in ids]


def come_to(client: Client, ids: list[str], phase: RunPhase) -> None:
    """Wait until all are in a phase that they cannot leave by themselves."""
    deadline = time.monotonic() + END_WITHIN_S
    for run_id in ids:
        while (run := client.runs.get(run_id)).phase is not phase:
            assert time.monotonic() < deadline, f"not {phase} yet: {run}"
            time.sleep(_LOOK_S)


def times_of(client: Client, run: Run) -> dict[RunPhase, datetime]:
    """Return when a run came into each phase."""
    return {event.phase: event.at for event in client.runs.events(run)}


@pytest.mark.timeout(END_WITHIN_S + 60)
@pytest.mark.ray
def test_a_burst_ends_in_order_and_the_head_lives(ray_cluster: LocalCluster, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo", {"one.py": "print('one')\n", "hold.py": HOLD})
    gate = tmp_path / "gate"
    options = ["--allow-local-remotes", "--max-running", str(PLACES), "--ray", ray_cluster.url]
    variables = {"DAFTRAY_RAY_TOKEN": ray_cluster.token}
    headers = {"Authorization": f"Bearer {ray_cluster.token}"}
    version = f"{ray_cluster.url}/api/version"
    session = httpx.get(version, headers=headers, trust_env=False).json()["session_name"]
    with (
        child_server(tmp_path / "data", options=options, variables=variables) as server,
        Client(server.url, server.api_key) as everything,
    ):
        everything.projects.create("burst", repo.url)
        client = everything.in_project("burst")
        source = Source(git=GitSource(hash=repo.head))
        entrypoint = Entrypoint(file=FileEntrypoint(file_path="one.py"))
        requests = [
            RunRequest(entrypoint=entrypoint, source=source, name=f"run {number}") for number in range(BURST)
        ]
        hold = FileEntrypoint(file_path="hold.py", argv=[str(gate)])
        holders = [client.runs.create(Entrypoint(file=hold), source=source).id for _ in range(PLACES)]
        come_to(client, holders, RunPhase.RUNNING)
        ids = ids_of(server, requests)
        come_to(client, ids, RunPhase.QUEUED)
        gate.touch()
        runs = ended(client, ids)
        assert {run.status for run in runs} == {RunStatus.SUCCEEDED}, [run for run in runs if run.reason]
        assert {run.attempt for run in runs} == {1}
        places_given = [times_of(client, run)[RunPhase.PREPARING] for run in runs]
        assert places_given == sorted(places_given)
    assert httpx.get(version, headers=headers, trust_env=False).json()["session_name"] == session
