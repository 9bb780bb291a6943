"""CPU seconds of this process and of the processes below it."""

from __future__ import annotations

import os

MAX_DESCENDANTS = 256
"""Live processes below this one that a reading looks at: a fork bomb must not stall the reporter."""
LOOK_EVERY = 4
"""Readings between two looks for new children. A look reads a file for each thread: 4 ms in a Ray worker."""

_UTIME, _STIME, _CUTIME, _CSTIME = range(11, 15)
"""Fields 14 to 17 of ``/proc/PID/stat`` (proc_pid_stat(5)), counted after the command's closing bracket."""


class CpuTime:
    """The CPU time of this process, its ended children and (on Linux) its live ones.

    Python processes below this one do not report CPU themselves: they would count twice once they are
    waited for.
    """

    def __init__(self) -> None:
        self._below: list[int] = []
        self._readings = 0

    def read(self, *, look: bool = False) -> tuple[float, float]:
        """Return user and system seconds. ``look`` for children that are new, whether or not it is time to.

        This process comes first: a child that is waited for in between is missed once, not counted twice,
        and counts only ever grow.
        """
        times = os.times()
        user, system = times.user + times.children_user, times.system + times.children_system
        if look or self._readings % LOOK_EVERY == 0:
            self._below = _descendants() if _has_children() else []
        self._readings += 1
        if self._below:
            ticks_per_s = os.sysconf("SC_CLK_TCK")
            for pid in self._below:
                below_user, below_system = _ticks(pid)
                user += below_user / ticks_per_s
                system += below_system / ticks_per_s
        return user, system


def _has_children() -> bool:
    """Whether this process has any child, at the price of one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, AttributeError):  # there is none; this system cannot tell
        return False
    return True


def _descendants() -> list[int]:
    found: list[int] = []
    waiting = _children(os.getpid())
    while waiting and len(found) < MAX_DESCENDANTS:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(_children(pid))
    return found


def _children(pid: int) -> list[int]:
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
