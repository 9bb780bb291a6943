"""A secret's value is where its run can use it, and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from e2e_files import WAIT_FOR_FILE
from e2e_platform import Platform, wait_for
from leaks import command_lines, everything_below

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus
from daftray.server.local_ray import LocalCluster

pytestmark = pytest.mark.ray

PROGRAM = """\
import os
import sys

import ray

ray.init(log_to_driver=True)


@ray.remote
def in_a_worker():
    print("worker prints", os.environ["CANARY"])
    return os.environ["CANARY"] == os.environ["OWN_CANARY"][::-1]


assert ray.get(in_a_worker.remote()), "the worker lacks the secrets"
print("driver prints", os.environ["CANARY"], os.environ["OWN_CANARY"], file=sys.stderr)
"""


def test_a_secret_is_in_driver_and_workers_and_nowhere_else(
    platform: Platform, client: Client, ended: Callable[[Run], Run], ray_cluster: LocalCluster, tmp_path: Path
) -> None:
    canary, own = secrets.token_hex(16), ""
    own = canary[::-1]
    client.secrets.set("CANARY", canary)
    gate = tmp_path / "gate"
    commit = platform.repo.commit({"canary/main.py": PROGRAM + WAIT_FOR_FILE})
    run = client.runs.create("canary/main.py", args=[str(gate)], hash=commit, secrets={"OWN_CANARY": own})
    try:
        running = wait_for(
            client, run, lambda now: now.phase is RunPhase.RUNNING and b"waiting" in client.runs.logs(now)
        )
        headers = {"Authorization": f"Bearer {ray_cluster.token}"}
        jobs = httpx.get(f"{ray_cluster.url}/api/jobs/", headers=headers, timeout=30).text
        processes = command_lines()
    finally:
        gate.touch()
    assert ended(running).status is RunStatus.SUCCEEDED
    log = client.runs.logs(run)
    assert b"driver prints" in log
    assert b"worker prints" in log
    for value in (canary, own):
        assert value not in jobs
        assert value not in processes
        assert value.encode() not in log
        assert value.encode() not in everything_below(platform.data_dir), "database, blobs or server log"
        assert value not in repr(client.runs.get(run))
    client.secrets.delete("CANARY")
