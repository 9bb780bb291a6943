"""A process that is killed: what it had counted by its last report is there, and the counts of others too."""

from __future__ import annotations

import signal
from typing import Any

from control_stub import ControlStub
from runner_process import Runs

COUNTING = """
import time, daftray
from daftray.runner import report
for at in range(1, 1_000_000):
    daftray.increment("rows")
    try:
        raise ValueError(at)
    except ValueError as error:
        report.problems().add(error, udf="u")
    print(at, time.time_ns(), flush=True)
    time.sleep(0.001)
"""


def test_a_killed_process_loses_what_it_counted_since_its_last_report_at_most(runs: Runs) -> None:
    runs.write({"killed.py": COUNTING, "well.py": COUNTING.replace("1_000_000", "300")})
    control = runs.control
    killed = runs.start("killed.py", DAFTRAY_PROCESS="child")
    well = runs.start("well.py", DAFTRAY_PROCESS="child")
    control.wait_until(lambda: len(_read_at(control, killed.pid)) >= 3, timeout_s=60)

    killed.send_signal(signal.SIGKILL)

    counted = [tuple(map(int, line.split())) for line in killed.communicate(timeout=30)[0].splitlines()[:-1]]
    assert well.communicate(timeout=60)[1] == ""
    # A count may fall between the reading of a report and its time: so it is held to the report before.
    *_, before_last, _ = _read_at(control, killed.pid)
    had = sum(at_ns <= before_last for _, at_ns in counted)
    told = _told(control, killed.pid)
    assert had > 0
    assert had <= told["rows"] <= len(counted) + 2
    assert had <= told["problems"] <= len(counted) + 2
    assert _told(control, well.pid) == {"rows": 299, "problems": 299}


def _is_of(process: str, pid: int) -> bool:
    return f"-{pid}-" in process


def _read_at(control: ControlStub, pid: int) -> list[int]:
    """Return when each report of counts was made, in nanoseconds."""
    found: list[int] = []
    for request in control.ending("/v1/metrics"):
        (resource,) = request.json["resourceMetrics"]
        attributes: dict[str, Any] = {
            each["key"]: each["value"]["stringValue"] for each in resource["resource"]["attributes"]
        }
        if attributes["process.pid"] == str(pid):
            (scope,) = resource["scopeMetrics"]
            found.append(int(scope["metrics"][0]["sum"]["dataPoints"][0]["timeUnixNano"]))
    return found


def _told(control: ControlStub, pid: int) -> dict[str, float]:
    rows = [value for (process, _, _), value in control.counters().items() if _is_of(process, pid)]
    problems = [each["count"] for (process, _), each in control.problems().items() if _is_of(process, pid)]
    return {"rows": sum(rows), "problems": sum(problems)}
