"""Cancel, from the queue and from a running program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from e2e_files import WAIT_FOR_FILE
from e2e_platform import PLACES, Platform, program_output, wait_for

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus

pytestmark = pytest.mark.ray


def processes_of(run: Run) -> list[psutil.Process]:
    """Return the processes of a run: its driver, and Ray's supervisor of it, which ends a moment later."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DAFTRAY_RUN_ID") == run.id:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_running_and_a_queued_run_are_cancelled(
    platform: Platform, client: Client, ended: Callable[[Run], Run], tmp_path: Path
) -> None:
    commit = platform.repo.commit({"cancel/wait.py": WAIT_FOR_FILE})
    gate = str(tmp_path / "never")
    running = [client.runs.create("cancel/wait.py", args=[gate], hash=commit) for _ in range(PLACES)]
    for run in running:
        wait_for(client, run, lambda now: now.phase is RunPhase.RUNNING)
    queued = client.runs.create("cancel/wait.py", args=[gate], hash=commit)
    wait_for(client, queued, lambda now: now.phase is RunPhase.QUEUED and bool(now.waiting_for))

    client.runs.cancel(queued)
    assert ended(queued).status is RunStatus.CANCELLED
    assert ended(queued).attempts == ()

    for run in running:
        client.runs.cancel(run)
        client.runs.cancel(run)
    for run in running:
        last = ended(run)
        assert last.status is RunStatus.CANCELLED
        assert program_output(client.runs.logs(last)) == b"waiting\n"
        assert psutil.wait_procs(processes_of(run), timeout=15)[1] == []


def test_cancelling_what_has_ended_changes_nothing(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    commit = platform.repo.commit({"cancel/quick.py": "print('quick')\n"})
    run = ended(client.runs.create("cancel/quick.py", hash=commit))
    assert client.runs.cancel(run).status is RunStatus.SUCCEEDED
