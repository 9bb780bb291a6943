"""Further attempts, deadlines and reasons of failure, on real Ray."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from e2e_files import WAIT_FOR_FILE
from e2e_platform import Platform, program_output, wait_for

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, FileEntrypoint, GitSource, Resources, Retries, RunRequest, Source
from daftray.domain.status import FailureReason, RunPhase, RunStatus

pytestmark = pytest.mark.ray

AGAIN = """\
import os
import daftray

attempt = int(os.environ["DAFTRAY_ATTEMPT"])
daftray.record_usage(requests=attempt)
print(f"attempt {attempt}", flush=True)
if attempt < 3:
    raise RuntimeError(f"attempt {attempt} fails")
"""


def asked(platform: Platform, path: str, argv: list[str] | None = None, **fields: object) -> RunRequest:
    entrypoint = Entrypoint(file=FileEntrypoint(file_path=path, argv=argv))
    source = Source(git=GitSource(hash=platform.repo.head))
    return RunRequest(entrypoint=entrypoint, source=source, **fields)  # type: ignore[arg-type] (its fields)


def test_each_attempt_has_its_own_log_and_word(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    platform.repo.commit({"attempts/again.py": AGAIN})
    retries = Retries(max=3, on=(FailureReason.USER_ERROR,), backoff=0)
    last = ended(client.runs.submit(asked(platform, "attempts/again.py", retries=retries)))
    assert (last.status, last.attempt, last.reason) == (RunStatus.SUCCEEDED, 3, None)
    assert [one.status for one in last.attempts] == [RunStatus.FAILED, RunStatus.FAILED, RunStatus.SUCCEEDED]
    assert [one.reason_detail for one in last.attempts[:2]] == [
        f"RuntimeError: attempt {number} fails" for number in (1, 2)
    ]
    for number in (1, 2, 3):
        log = program_output(client.runs.logs(last, attempt=number)).decode()
        assert log.startswith(f"attempt {number}\n")
    assert any("attempt 1 fails" in line for line in last.attempts[0].last_lines)
    assert last.attempts[2].last_lines == ()
    assert last.usage is not None
    assert last.usage.requests == 1 + 2 + 3
    problems = client.runs.problems(last)
    assert {(one.attempt, one.message) for one in problems} == {
        (1, "attempt 1 fails"),
        (2, "attempt 2 fails"),
    }


def test_a_run_that_runs_too_long_is_stopped(
    platform: Platform, client: Client, ended: Callable[[Run], Run], tmp_path: Path
) -> None:
    platform.repo.commit({"attempts/wait.py": WAIT_FOR_FILE})
    gate = [str(tmp_path / "never")]
    last = ended(client.runs.submit(asked(platform, "attempts/wait.py", gate, timeout_s=1)))
    assert (last.status, last.reason) == (RunStatus.FAILED, FailureReason.RUN_TIMEOUT)
    assert "timeout_s" in (last.reason_detail or "")
    assert program_output(client.runs.logs(last)) == b"waiting\n"


def test_a_run_for_which_the_cluster_has_no_room_says_what_it_lacks_and_gives_up_in_time(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    platform.repo.commit({"attempts/room.py": "print('there')\n"})
    resources = Resources(num_cpus=1000)
    run = client.runs.submit(asked(platform, "attempts/room.py", resources=resources, start_timeout_s=6))
    told = wait_for(client, run, lambda now: "1000 CPUs" in (now.waiting_for or "") or now.status.terminal)
    assert "are free" in (told.waiting_for or "")
    last = ended(run)
    assert (last.status, last.reason) == (RunStatus.FAILED, FailureReason.START_TIMEOUT)
    assert "1000 CPUs" in (last.reason_detail or "")


def test_a_driver_that_is_killed_is_told_from_one_that_fails(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    kill = "import os, signal\nprint('before', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    platform.repo.commit({"attempts/kill.py": kill})
    last = ended(client.runs.submit(asked(platform, "attempts/kill.py")))
    assert (last.status, last.reason) == (RunStatus.FAILED, FailureReason.KILLED)
    assert "before" in last.attempts[0].last_lines


def supervisor_of(run: Run) -> int:
    """Return the process of a run's Ray supervisor: the driver's parent."""
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if "JobSupervisor" in command and run.id in str(process_environment(process)):
            return process.pid
    raise AssertionError(f"run {run.id} has no supervisor")


def process_environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def test_a_supervisor_that_dies_is_the_platforms_fault_and_the_next_attempt_may_go_well(
    platform: Platform, client: Client, ended: Callable[[Run], Run], tmp_path: Path
) -> None:
    platform.repo.commit({"attempts/wait.py": WAIT_FOR_FILE})
    gate = tmp_path / "open"
    retries = Retries(max=1, backoff=0)
    run = client.runs.submit(asked(platform, "attempts/wait.py", [str(gate)], retries=retries))
    wait_for(client, run, lambda now: now.phase is RunPhase.RUNNING)
    os.kill(supervisor_of(run), signal.SIGKILL)
    wait_for(client, run, lambda now: now.attempt == 2 and now.phase is RunPhase.RUNNING)
    gate.touch()
    last = ended(run)
    assert (last.status, last.attempt) == (RunStatus.SUCCEEDED, 2)
    assert last.attempts[0].reason is FailureReason.JOB_LOST
    assert program_output(client.runs.logs(last, attempt=1)).startswith(b"waiting\n")
    assert program_output(client.runs.logs(last, attempt=2)) == b"waiting\ndone\n"
