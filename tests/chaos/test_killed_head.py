"""The head is killed with runs on it, and another takes its place: each run ends, with the true reason."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chaos.conftest import PATIENCE
from chaos.gate import Fault, Faults, Gate
from chaos.lives import chance_of
from chaos.watched_ray import WatchedRay, watched_ray
from e2e_platform import wait_for
from git_repos import make_repo

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, FileEntrypoint, Retries, RunRequest
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.server.child import child_server

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(400)]

ENDED_WITHIN_S = 60.0 * PATIENCE
"""Of the head's return."""
LAST_LOOK_S = 5.0 * PATIENCE
"""Lines that are older than this when the head dies are in the archive, on a busy machine too."""

TOLD_WITHIN_S = 3.0 * PATIENCE
"""A run's last word comes that soon after its last line."""

PROGRAM = """\
import os
import sys
import time

with open(sys.argv[1], "a") as started:
    started.write(os.readlink("/proc/self/fd/1") + "\\n")
for _ in range(int(sys.argv[2])):
    print(f"at {time.time():.3f}", flush=True)
    time.sleep(0.1)
print("over", flush=True)
"""


@dataclass(frozen=True)
class Stage:
    """A Ray that can die, and a server before it."""

    ray: WatchedRay
    gate: Gate
    """Between the two."""
    client: Client
    folder: Path

    def create(self, name: str, tenths: int, retries: Retries | None = None) -> Run:
        """Create a run that writes for so many tenths of a second."""
        argv = [str(self.folder / name), str(tenths)]
        return self.client.runs.submit(
            RunRequest(
                entrypoint=Entrypoint(file=FileEntrypoint(file_path="main.py", argv=argv)),
                name=name,
                runner="native",
                retries=retries,
            )
        )

    def logs_at_ray(self, name: str) -> list[Path]:
        """Return the files of all starts of a run."""
        return [Path(line) for line in (self.folder / name).read_text().splitlines()]


@pytest.fixture
def stage(tmp_path: Path) -> Generator[Stage]:
    repo = make_repo(tmp_path / "repo", {"main.py": PROGRAM})
    open_gate = Faults(chance_of("head"), share=0, for_s=math.inf, kinds=(Fault.REFUSED,))
    with (
        watched_ray(tmp_path / "ray") as ray,
        Gate(urlsplit(ray.cluster.url).port or 0, open_gate) as gate,
    ):
        options = ["--allow-local-remotes", "--max-running", "2", "--ray", gate.url]
        variables = {"DAFTRAY_RAY_TOKEN": ray.cluster.token}
        with (
            child_server(tmp_path / "data", options=options, variables=variables) as server,
            Client(server.url, server.api_key) as everything,
        ):
            everything.projects.create("p", repo.url)
            yield Stage(ray, gate, everything.in_project("p"), tmp_path)


def test_runs_outlive_their_head(stage: Stage) -> None:
    lost = stage.create("lost", 3000)
    retried = stage.create("retried", 100, Retries(max=1, backoff=0))
    for run in (lost, retried):
        wait_for(stage.client, run, lambda now: now.phase is RunPhase.RUNNING)
    queued = stage.create("queued", 1)
    wait_for(stage.client, queued, lambda now: now.phase is RunPhase.QUEUED)
    wait_for(stage.client, lost, lambda now: b"at " in stage.client.runs.logs(now))

    killed_at = time.time()
    stage.ray.kill_head()
    stage.ray.wait_until_back()
    deadline = time.monotonic() + ENDED_WITHIN_S

    def ended(run: Run) -> Run:
        return wait_for(
            stage.client, run, lambda now: now.status.terminal, timeout_s=deadline - time.monotonic()
        )

    last = ended(lost)
    assert (last.status, last.reason) == (RunStatus.FAILED, FailureReason.CLUSTER_LOST)
    assert len(last.attempts) == 1
    log_is_whole_until(stage, last, "lost", killed_at)
    last = ended(queued)
    assert (last.status, len(last.attempts)) == (RunStatus.SUCCEEDED, 1)
    last = ended(retried)
    assert last.status is RunStatus.SUCCEEDED
    assert [attempt.reason for attempt in last.attempts] == [FailureReason.CLUSTER_LOST, None]
    log_is_whole_until(stage, last, "retried", killed_at)
    second = stage.client.runs.logs(last, attempt=2)
    assert second == stage.logs_at_ray("retried")[1].read_bytes()
    assert second.endswith(b"over\n")


def test_a_run_that_told_its_end_before_the_head_died_ended_so(stage: Stage) -> None:
    run = stage.create("told", 20, Retries(max=1, backoff=0))
    wait_for(stage.client, run, lambda now: now.phase is RunPhase.RUNNING)
    stage.gate.faults.share = 1.0  # the server sees nothing of its job any more, and hears it all the same
    wait_for(stage.client, run, lambda _: b"over" in stage.logs_at_ray("told")[0].read_bytes())
    time.sleep(TOLD_WITHIN_S)
    stage.ray.kill_head()
    stage.ray.wait_until_back()
    stage.gate.faults.share = 0
    last = wait_for(stage.client, run, lambda now: now.status.terminal, timeout_s=ENDED_WITHIN_S)
    assert (last.status, len(last.attempts)) == (RunStatus.SUCCEEDED, 1)
    assert len(stage.logs_at_ray("told")) == 1


def log_is_whole_until(stage: Stage, run: Run, name: str, moment: float) -> None:
    """Hold the first attempt's log: a beginning of what the code wrote, up to the cut."""
    archived = stage.client.runs.logs(run, attempt=1)
    written = stage.logs_at_ray(name)[0]
    if written.exists():  # the new head may have cleared it away
        assert written.read_bytes().startswith(archived)
    times = [float(text) for text in re.findall(rb"^at ([0-9.]+)$", archived, re.MULTILINE)]
    assert times == sorted(times)
    assert times[-1] > moment - LAST_LOOK_S
