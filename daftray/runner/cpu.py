"""CPU seconds of this process and of the processes below it."""

from __future__ import annotations

import os

MAX_DESCENDANTS = 256
"""Live processes below this one that a reading looks at: a fork bomb must not stall the reporter."""

_UTIME, _STIME, _CUTIME, _CSTIME = range(11, 15)
"""Fields 14 to 17 of ``/proc/PID/stat`` (proc_pid_stat(5)), counted after the command's closing bracket."""


def read() -> tuple[float, float]:
    """Return the user and system seconds of this process, its ended children and (on Linux) its live ones.

    Python processes below this one do not report CPU themselves, or they would count twice once they
    are waited for. The order matters: a child that ends between the two readings is missed once, not
    counted twice, and counts only ever grow.
    """
    times = os.times()
    user, system = times.user + times.children_user, times.system + times.children_system
    try:
        ticks_per_s = os.sysconf("SC_CLK_TCK")
    except (AttributeError, ValueError, OSError):
        return user, system
    waiting = children(os.getpid())
    seen = 0
    while waiting and seen < MAX_DESCENDANTS:
        pid = waiting.pop()
        seen += 1
        below = _ticks(pid)
        user += below[0] / ticks_per_s
        system += below[1] / ticks_per_s
        waiting.extend(children(pid))
    return user, system


def children(pid: int) -> list[int]:
    """Return the live children of a process; none where the kernel does not list them."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found.extend(int(child) for child in file.read().split())
    except (OSError, ValueError):
        pass
    return found


def _ticks(pid: int) -> tuple[int, int]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[_UTIME]) + int(fields[_CUTIME]), int(fields[_STIME]) + int(fields[_CSTIME])
    except (OSError, ValueError, IndexError):
        return 0, 0
