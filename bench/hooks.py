"""What the runner's hooks cost a run's own code, by turns with them and without.

Each figure is CPU time of the process that does the work, its reporting included, so that whatever else the
machine does counts little; the control plane and the model are stand-ins in this process. A pair is the same
program twice in a row, once with hooks and once without, the first of them by turns.

    PYTHONPATH=tests python bench/hooks.py [PAIRS]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from control_stub import control_stub
from openai_server import openai_server
from runner_process import Runs, unpack_runner

PAIRS = 9
ROWS = 200_000
SLOW_ROWS = 1_500
INCREMENTS = 500_000
CALLS = 150
STARTS = 8
"""Processes of one sample: a single start is too short to be told from noise."""

ROW = f"""
import time, daft

@daft.func
def double(number: int) -> int:
    return 2 * number

frame = daft.from_pydict({{"number": list(range({ROWS}))}})
frame.limit(1000).select(double(frame["number"])).collect()
begun = time.process_time()
frame.select(double(frame["number"])).collect()
print((time.process_time() - begun) / {ROWS} * 1e6)
"""
MILLISECOND = f"""
import time, daft

@daft.func
def work(number: int) -> int:
    until = time.thread_time() + 0.001
    while time.thread_time() < until:
        pass
    return number

frame = daft.from_pydict({{"number": list(range({SLOW_ROWS}))}})
frame.limit(10).select(work(frame["number"])).collect()
begun = time.process_time()
frame.select(work(frame["number"])).collect()
print((time.process_time() - begun) / {SLOW_ROWS} * 1e6)
"""
INCREMENT = f"""
import time, daftray

def loop(count):
    begun = time.process_time()
    for _ in range({INCREMENTS}):
        count()
    return time.process_time() - begun

def nothing():
    pass

def increment():
    daftray.increment("rows")

loop(nothing)
print((loop(increment) - loop(nothing)) / {INCREMENTS} * 1e6)
"""
CALL = f"""
import time, openai
client = openai.OpenAI()
ask = {{"model": "m", "messages": [{{"role": "user", "content": "one two three"}}]}}
for _ in range(20):
    client.chat.completions.create(**ask)
begun = time.process_time()
for _ in range({CALLS}):
    client.chat.completions.create(**ask)
print((time.process_time() - begun) / {CALLS} * 1e6)
"""
STARTS_OF = {"worker": "import os, threading; os._exit(0)", "child": "import os; os._exit(0)"}
"""What the processes do. Ray's worker imports ``threading`` first of all, whoever else needs it."""


@dataclass
class Case:
    """One thing to measure. ``sample`` returns µs, with hooks or without; ``budget`` is µs more, or None."""

    name: str
    sample: Callable[[bool], float]
    unit: str = "µs"
    budget: str = ""


def printed(runs: Runs, program: str, *, hooked: bool, **environ: str) -> float:
    """Run a program in a worker of a run; return the figure that it prints."""
    runs.write({"main.py": program})
    hooks = {"DAFTRAY_HOOKS": "1" if hooked else "0", "DAFT_RUNNER": "native", "DAFT_PROGRESS_BAR": "0"}
    process = runs.start("main.py", DAFTRAY_PROCESS="worker", **hooks, **environ)
    output, errors = process.communicate(timeout=600)
    if process.returncode:
        sys.exit(errors)
    return float(output.split()[-1])


def start_us(runs: Runs, kind: str, *, hooked: bool) -> float:
    """Start processes that end at once, with the runner in them or without; return the CPU time of one."""
    environ = runs.environ(DAFTRAY_PROCESS=kind)
    if not hooked:
        environ = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(STARTS):
        subprocess.run([runs.python, "-c", STARTS_OF[kind]], env=environ, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used / STARTS * 1e6


def cases(runs: Runs, model: str) -> list[Case]:
    """Return what is measured."""
    asks = {"OPENAI_BASE_URL": model, "OPENAI_API_KEY": "none"}
    return [
        Case("a row of a trivial row UDF", lambda on: printed(runs, ROW, hooked=on), budget="≤ 1.5 µs"),
        Case("a row of a UDF of 1 ms", lambda on: printed(runs, MILLISECOND, hooked=on), budget="< 10 µs"),
        Case("a call of the `openai` client", lambda on: printed(runs, CALL, hooked=on, **asks)),
        Case("a start of a worker process", lambda on: start_us(runs, "worker", hooked=on), budget="≤ 5 ms"),
        Case("a start of a process below it", lambda on: start_us(runs, "child", hooked=on), budget="≤ 5 ms"),
    ]


def measure(case: Case, pairs: int) -> str:
    """Return a row of the table: medians, and the median of the differences of pairs."""
    without: list[float] = []
    hooked: list[float] = []
    for pair in range(pairs):
        for on in (True, False) if pair % 2 else (False, True):
            (hooked if on else without).append(case.sample(on))
    more = statistics.median(mine - plain for mine, plain in zip(hooked, without, strict=True))
    least = min(hooked) - min(without)
    return (
        f"| {case.name} | {statistics.median(without):.2f} | {statistics.median(hooked):.2f} "
        f"| {more:.2f} | {least:.2f} | {case.budget} |"
    )


def main() -> None:
    """Measure, and print the table of docs/benchmarks.md."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with tempfile.TemporaryDirectory() as folder, control_stub() as control, openai_server() as model:
        source = Path(folder) / "source"
        source.mkdir()
        runs = Runs(control=control, package=unpack_runner(Path(folder) / "package"), folder=source)
        print("| CPU time in µs | without | with | difference, median of pairs | of the least | may be |")
        print("|---|---|---|---|---|---|", flush=True)
        for case in cases(runs, model.base_url):
            print(measure(case, pairs), flush=True)
        increments = sorted(printed(runs, INCREMENT, hooked=True) for _ in range(pairs))
        print(f"| `daftray.increment` | | {increments[pairs // 2]:.3f} | | {increments[0]:.3f} | ≤ 0.3 µs |")


if __name__ == "__main__":
    main()
