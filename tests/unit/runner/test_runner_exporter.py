"""Counts on their way: soon, rarely, again after a failure, and at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator

import psutil
import pytest
from control_stub import TOKEN, ControlStub
from runner_process import Runs, file

from daftray.runner import exporter as module
from daftray.runner.control import ControlPlaneError
from daftray.runner.cpu import CpuTime
from daftray.runner.process import Reporter
from daftray.runner.settings import CHILD, WORKER, RunSettings


@pytest.fixture
def reporter(control: ControlStub) -> Generator[Reporter]:
    """The runner of a process below a worker: it counts, and reports no CPU."""
    made = Reporter(CHILD, settings(control.url))
    yield made
    made.close()


def settings(url: str) -> RunSettings:
    return RunSettings(run_id="run_01", attempt=2, report_url=url, token=TOKEN)


def test_a_count_is_sent_by_itself_and_says_whose_it_is(control: ControlStub, reporter: Reporter) -> None:
    reporter.counters.add("m", 3, (("k", "v"),))

    control.wait_until(lambda: control.total("m", {"k": "v"}) == 3)
    (request,) = control.ending("/v1/metrics")
    attributes = request.json["resourceMetrics"][0]["resource"]["attributes"]
    resource = {each["key"]: each["value"]["stringValue"] for each in attributes}
    host = os.uname().nodename
    assert request.authorization == f"Bearer {TOKEN}"
    assert resource.pop("daftray.process").startswith(f"{host}-{os.getpid()}-")
    assert resource == {
        "daftray.run_id": "run_01",
        "daftray.attempt": "2",
        "host.name": host,
        "process.pid": str(os.getpid()),
    }


def test_only_what_changed_is_sent_and_as_the_sum_so_far(control: ControlStub, reporter: Reporter) -> None:
    reporter.counters.add("a", 1, ())
    reporter.counters.add("b", 1, ())
    control.wait_until(lambda: control.total("b") == 1)
    reporter.counters.add("a", 1, ())
    reporter.close()
    reporter.close()

    first, second = control.ending("/v1/metrics")
    assert b'"b"' in first.body
    assert b'"b"' not in second.body
    assert control.total("a") == 2


def test_what_failed_is_sent_again(control: ControlStub, reporter: Reporter) -> None:
    control.failures["metrics"] = [500, 503]

    reporter.counters.add("m", 3, ())

    control.wait_until(lambda: control.total("m") == 3)


def test_a_refusal_is_final_and_told_once(
    control: ControlStub, reporter: Reporter, capsys: pytest.CaptureFixture[str]
) -> None:
    control.failures["metrics"] = [401]
    reporter.counters.add("m", 1, ())
    control.wait_until(lambda: not control.failures["metrics"])
    reporter.counters.add("m", 1, ())

    reporter.close()

    assert control.ending("/v1/metrics") == []
    said = capsys.readouterr().err
    assert said.startswith(
        "daftray: usage of this process is incomplete: the control plane at http://127.0.0.1:"
    )
    assert said.endswith("answered 401: status 401\n")


def test_nobody_there_is_told_once_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(CHILD, settings("http://127.0.0.1:9"))
    reporter.counters.add("m", 1, ())

    reporter.close()

    assert capsys.readouterr().err.count("daftray: usage of this process is incomplete: no answer from") == 1


class HangsOnce:
    """A control plane whose first answer does not come until it is told to break off."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.breaks = threading.Event()
        self.taken: list[bytes] = []

    def metrics(self, body: bytes, *, timeout_s: float) -> None:
        if not self.asked.is_set():
            self.asked.set()
            self.breaks.wait(10 * timeout_s)
            raise ControlPlaneError("no answer")
        self.taken.append(body)


def test_a_report_that_hangs_at_the_end_does_not_pass_for_delivered(
    reporter: Reporter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "EXIT_TIMEOUT_S", 0.01)
    control = HangsOnce()
    monkeypatch.setattr(module.Exporter, "_control_plane", lambda _self: control)
    reporter.counters.add("m", 1, ())
    assert control.asked.wait(10)

    assert not reporter.flush()
    control.breaks.set()
    monkeypatch.setattr(module, "EXIT_TIMEOUT_S", 10.0)
    assert reporter.flush()

    reporter.end()
    assert b'"m"' in control.taken[-1]
    assert capsys.readouterr().err == ""


def test_without_a_count_there_is_no_thread_and_no_request(control: ControlStub, reporter: Reporter) -> None:
    reporter.start()
    reporter.close()

    assert control.requests == []


def test_a_worker_reports_its_cpu_without_counting(control: ControlStub) -> None:
    reporter = Reporter(WORKER, settings(control.url))
    reporter.start()

    control.wait_until(lambda: control.total("process.cpu.time", {"cpu.mode": "user"}) > 0)
    reporter.close()

    own = sum(os.times()[:4])
    # Whatever else the tests have started and left running for now counts as well.
    below = [sum(child.cpu_times()[:4]) for child in psutil.Process().children(recursive=True)]
    assert 0.5 * own < control.total("process.cpu.time") <= own + sum(below)


def test_a_slower_pace_that_the_server_asks_for_is_kept(reporter: Reporter) -> None:
    exporter = reporter._make_exporter()
    exporter._failed(_failure(retry_after_s=7))

    assert exporter._wait_s == 7
    exporter._failed(_failure(retry_after_s=1e9))
    assert exporter._wait_s == module.LONGEST_PAUSE_S


def _failure(retry_after_s: float) -> Exception:
    from daftray.runner.control import ControlPlaneError  # noqa: PLC0415

    return ControlPlaneError("busy", status=429, retry_after_s=retry_after_s)


def test_a_forked_child_counts_for_itself(runs: Runs) -> None:
    source = """
import os, sys, daftray
daftray.increment("n", 5)
pid = os.fork()
daftray.increment("n", 2)
if pid:
    os.waitpid(pid, 0)
else:
    sys.exit()
"""
    runs.write({"main.py": source})

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stderr) == (0, "")
    counts = [
        value for (_, metric, _), value in runs.control.counters().items() if metric == "daftray.user.n"
    ]
    assert sorted(counts) == [2, 7]
    assert len(runs.control.ending("/finished")) == 1


def test_a_killed_process_has_told_all_but_its_last_moment(runs: Runs) -> None:
    source = """
import daftray, time
for _ in range(40):
    daftray.increment('n')
print('counted', flush=True)
time.sleep(60)
"""
    runs.write({"main.py": source})
    process = runs.start("main.py", DAFTRAY_PROCESS="child")
    assert process.stdout is not None
    process.stdout.readline()

    runs.control.wait_until(lambda: runs.control.total("daftray.user.n") == 40)

    process.kill()
    process.communicate()


BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_cpu_time_has_live_and_ended_children_in_it() -> None:
    clock = CpuTime()
    before = sum(clock.read(look=True))

    live = subprocess.Popen(
        [sys.executable, "-c", f"{BURN}\nprint(1, flush=True)\ntime.sleep(60)"], stdout=subprocess.PIPE
    )
    assert live.stdout is not None
    live.stdout.readline()
    grown = sum(clock.read(look=True)) - before
    live.kill()
    live.communicate()

    assert grown >= 0.25  # the kernel counts in ticks of 10 ms
    after = sum(clock.read(look=True)) - before
    assert 0.25 <= after < 2 * grown


def test_children_are_looked_for_now_and_then_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look reads a file for each thread."""
    looks: list[float] = []
    monkeypatch.setattr("daftray.runner.cpu._has_children", lambda: looks.append(time.monotonic()))
    clock = CpuTime()

    for _ in range(8):
        clock.read()

    assert len(looks) == 2


def test_a_driver_waits_as_long_as_its_workers_were_asked_to_gather(runs: Runs) -> None:
    """Ray kills them when it ends, whatever they have not sent."""
    driver = """
import subprocess, sys, ray
child = subprocess.Popen([sys.executable, "worker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
"""
    worker = """
import os, sys, time, daftray
from daftray.runner import report
daftray.increment("early")
while report._Process.reporter._exporter._wait_s < 2:
    time.sleep(0.01)
time.sleep(0.2)
daftray.increment("late")
print("counted", flush=True)
sys.stdin.read()
os._exit(0)  # as Ray ends a worker: nothing is sent any more
"""
    runs.control.retry_after_s = 2
    fake_ray = "def is_initialized(): return True\n"
    runs.write({"main.py": driver, "worker.py": worker, "ray.py": fake_ray})

    done = runs.run(file("main.py"))

    assert done.returncode == 0, done.stderr
    assert runs.control.total("daftray.user.late") == 1
