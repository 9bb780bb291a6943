"""CPU seconds of a known burn: what processes of a run report, beside what the kernel says they used."""

from __future__ import annotations

import pytest
from runner_process import Runs

PROCESSES = 4
EACH_S = 5
TIMEOUT_S = 400
"""Twenty seconds of CPU, on a machine that may be busy with much else."""
BURN = """
import atexit, os, subprocess, sys, time

def burn(seconds):
    while time.process_time() < seconds:
        pass

def below(seconds, then):
    code = f"import time\\nwhile time.process_time() < {seconds}: pass\\n{then}"
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

# One that is waited for, and one that outlives this process.
waited = below(1.5, "")
left = below(1.0, "print(time.process_time(), flush=True); import sys; sys.stdin.read()")
burn(2.5)
waited.wait()
used_by_left = float(left.stdout.readline())
# Told last, so that next to nothing is used after it.
atexit.register(lambda: print(sum(os.times()[:4]) + used_by_left, flush=True))
"""


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_what_is_reported_is_what_was_used(runs: Runs) -> None:
    """Four processes of five seconds, half of it in processes below them, on a machine as busy as it is."""
    burning = [runs.start("-c", BURN, DAFTRAY_PROCESS="worker") for _ in range(PROCESSES)]
    told = [process.communicate(timeout=TIMEOUT_S) for process in burning]

    used = sum(float(output) for output, _ in told)
    assert [errors for _, errors in told] == [""] * PROCESSES
    assert used > 0.99 * PROCESSES * EACH_S
    reported = runs.control.total("process.cpu.time")
    assert abs(reported - used) < 0.02 * used, f"used {used:.3f} s, reported {reported:.3f} s"
    reporters = {process for process, metric, _ in runs.control.counters() if metric == "process.cpu.time"}
    assert len(reporters) == PROCESSES  # those below them are in their sums
