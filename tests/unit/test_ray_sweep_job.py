"""What runs on the cluster to clear away what jobs left there: its look at processes, and its patience."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from daftray.adapters.rayjobs import sweep_job
from daftray.domain.ids import Ids

Starts = Callable[..., psutil.Process]
READY = "import sys, signal, time; {}; print(flush=True); time.sleep(600)"
IGNORES_TERM = READY.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
ENDS_AT_TERM = READY.format("signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))")
AGENT = """
import os, subprocess
command = [{python!r}, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(command, env=dict(os.environ, **{env}))
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def run() -> str:
    return f"run_{Ids().token()}"


@pytest.fixture
def starts() -> Iterator[Starts]:
    """Starts programs that say when they are ready, and ends them."""
    started: list[subprocess.Popen[str]] = []
    children: list[psutil.Process] = []

    def start(program: str, *, name: str = sys.executable, **environ: str) -> psutil.Process:
        """Return the program's process, or the one whose number it says."""
        process = subprocess.Popen(
            [name, "-c", program],
            executable=sys.executable,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        if not said:
            return psutil.Process(process.pid)
        children.append(psutil.Process(int(said)))
        return children[-1]

    yield start
    for process in (*children, *started):
        process.kill()
    for process in started:
        process.communicate(timeout=10)


def of(run: str, attempt: int = 1) -> dict[str, str]:
    return {"DAFTRAY_RUN_ID": run, "DAFTRAY_ATTEMPT": str(attempt)}


def test_a_process_is_known_by_its_run_and_attempt_wherever_it_descends_from(
    starts: Starts, run: str
) -> None:
    program = READY.format("pass")
    ours, _, _ = starts(program, **of(run)), starts(program, **of(run, 2)), starts(program, **of(f"{run}x"))
    assert sweep_job.Processes().find([f"{run}-1", "run_other-1"]) == {f"{run}-1": [ours], "run_other-1": []}


def test_the_sweeping_process_and_its_parents_are_never_found(run: str) -> None:
    program = (
        "import os, subprocess, sys; from daftray.adapters.rayjobs.sweep_job import Processes; "
        f"print(Processes().find(['{run}-1']))"
    )
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}])",
        ],
        env={**os.environ, **of(run)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.strip() == str({f"{run}-1": []}), told.stderr


def test_a_process_is_asked_first_and_then_killed(
    starts: Starts, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes, polite, stubborn = sweep_job.Processes(), starts(ENDS_AT_TERM), starts(IGNORES_TERM, **of(run))
    processes.end(polite)
    assert psutil.wait_procs([polite], timeout=10)[1] == []
    for _ in range(2):
        assert processes.end(stubborn) == f"process {stubborn.pid} ({stubborn.name()})"
    assert stubborn.status() != psutil.STATUS_ZOMBIE
    monkeypatch.setattr(sweep_job, "POLITE_S", 0)
    processes.end(stubborn)
    assert psutil.wait_procs([stubborn], timeout=10)[1] == []


def test_a_process_is_not_killed_at_once(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for name in ("terminate", "kill"):
        monkeypatch.setattr(psutil.Process, name, lambda _, name=name: told.append(name))
    processes, stubborn = sweep_job.Processes(), starts(IGNORES_TERM)
    processes.end(stubborn)
    monkeypatch.setattr(sweep_job, "POLITE_S", 0)
    processes.end(stubborn)
    monkeypatch.undo()  # the fixture has to kill it
    assert told == ["terminate", "kill"]


def test_what_installs_for_ray_is_named_and_left_alone(starts: Starts, run: str) -> None:
    installer = starts(AGENT.format(env=of(run), python=sys.executable), name=sweep_job.INSTALLER)
    processes = sweep_job.Processes()
    assert processes.find([f"{run}-1"]) == {f"{run}-1": []}
    [told] = processes.installing[f"{run}-1"]
    assert f"process {installer.pid}," in told
    assert sweep_job.sweep(gcs(), {f"{run}-1": True}) == {f"{run}-1": [told]}
    assert installer.is_running()
    assert sweep_job.sweep(gcs(), {f"{run}-1": False}) == {}


class Table:
    """A GCS with one job, whose things go when they are killed, unless they are ``stubborn``.

    Its code connected to Ray twice, so that it has two Ray jobs.
    """

    def __init__(self, *, supervisor: int | None = None, stubborn: bool = False) -> None:
        self.job = supervisor is not None and SimpleNamespace(state=supervisor)
        self.actor = SimpleNamespace(name="", actor_id=b"\1\2", class_name="Counter")
        self.second = SimpleNamespace(name="second", actor_id=b"\5", class_name="Counter")
        self.group = SimpleNamespace(name="mine", placement_group_id=b"\3", creator_job_id=b"\7")
        self.others = SimpleNamespace(name="theirs", placement_group_id=b"\4", creator_job_id=b"\x08")
        self.there: list[Any] = [self.job, self.actor, self.second, self.group, self.others]
        self.killed: list[Any] = []
        self._stubborn = stubborn

    def supervisor(self, submission_id: str) -> Any:
        assert submission_id == "run_1-1"
        return (self.job in self.there and self.job) or None

    def ray_jobs(self, submission_id: str) -> set[bytes]:
        assert submission_id == "run_1-1"
        return {b"\7", b"\x09"}

    def actors(self, ray_job: bytes) -> list[Any]:
        theirs = {b"\7": self.actor, b"\x09": self.second}[ray_job]
        return [theirs] if theirs in self.there else []

    def groups(self) -> list[Any]:
        return [it for it in (self.group, self.others) if it in self.there]

    def kill(self, thing: Any) -> None:
        self.killed.append(thing)
        if not self._stubborn and thing in self.there:
            self.there.remove(thing)

    remove = kill


def gcs(table: Any = None) -> sweep_job.Gcs:
    nothing = SimpleNamespace(groups=list, supervisor=lambda _: None, ray_jobs=lambda _: set())
    return cast("sweep_job.Gcs", table or nothing)


ALIVE, PENDING = 2, 1


def test_everything_of_the_job_goes_and_nothing_of_others() -> None:
    table = Table(supervisor=PENDING)
    assert sweep_job.sweep(gcs(table), {"run_1-1": False}) == {}
    assert table.there == [table.others]


def test_a_supervisor_that_is_alive_has_its_grace_to_end_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    now = [0.0]

    def nap(seconds: float) -> None:
        naps.append(seconds)
        now[0] += 0.5
        if now[0] < sweep_job.GRACE_S:
            assert table.killed == []

    monkeypatch.setattr(sweep_job.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sweep_job.time, "sleep", nap)
    table = Table(supervisor=ALIVE)
    assert sweep_job.sweep(gcs(table), {"run_1-1": False}) == {}
    assert (table.killed[0], table.there) == (table.job, [table.others])
    assert len(naps) > 4


def test_what_does_not_go_is_named_after_a_while(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep_job, "PATIENCE_S", 0)
    monkeypatch.setattr(sweep_job, "PAUSE_S", 0.01)
    monkeypatch.setattr(sweep_job, "Gcs", lambda _: Table(supervisor=PENDING, stubborn=True))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert sweep_job.main('{"run_1-1": false}') == 3
    told = json.loads(capsys.readouterr().out)
    actors = {"actor 0102 (Counter)", "actor second (Counter)"}
    assert {name: set(things) for name, things in told.items()} == {
        "run_1-1": {"the supervisor of its driver", "placement group mine", *actors}
    }
    monkeypatch.setattr(sweep_job, "PATIENCE_S", 60)
    monkeypatch.setattr(sweep_job, "Gcs", lambda _: Table())
    assert sweep_job.main('{"run_1-1": false}') == 0
    assert capsys.readouterr().out == ""
