"""What the runs of a trial execute, and what must come of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

PROGRAM = '''\
"""A run of the chaos tests: notes that it is there, counts what it does, and ends as it was asked to."""
import json
import os
import sys
import time

import daftray

name, ending, lines, pause_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
base = os.path.join(os.environ["CHAOS_FOLDER"], os.environ["DAFTRAY_RUN_ID"])
me = {
    "attempt": int(os.environ["DAFTRAY_ATTEMPT"]),
    "log": os.readlink("/proc/self/fd/1"),
}
with open(base + ".started", "a") as started:
    started.write(json.dumps(me) + "\\n")
with open(base + ".counted", "a", buffering=1) as counted:
    for line in range(lines):
        print(f"{name} {line} {'x' * (line * 37 % 200)}")
        counted.write("1\\n")
        daftray.increment("rows")
        daftray.record_usage(model="m", provider="p", tokens_in=3)
        time.sleep(pause_s)
sys.stdout.buffer.write(b"no utf-8: \\xff\\xfe\\n")
sys.stdout.flush()
if ending == "raise":
    raise ValueError("as asked")
daftray.set_result({"rows": lines})
'''

Ending = Literal["return", "raise", "cancel"]
LONG_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run that is asked for: how it is to end, and when it is created and cancelled (in seconds)."""

    name: str
    ending: Ending
    lines: int
    pause_s: float
    created_at_s: float
    cancelled_at_s: float | None = None

    @property
    def args(self) -> list[str]:
        return [self.name, self.ending, str(self.lines), str(self.pause_s)]


class Start(msgspec.Struct, frozen=True):
    """What a run noted when its code began. ``log`` is the file in which Ray keeps its output."""

    attempt: int
    log: str


def starts(folder: Path, run_id: str) -> list[Start]:
    """Return every start of a run's code, whichever attempt it was of."""
    path = folder / f"{run_id}.started"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Start) for line in lines]


def counted(folder: Path, run_id: str) -> int:
    """Return what a run's code has counted, by its own book, over all its starts."""
    path = folder / f"{run_id}.counted"
    return len(path.read_bytes().splitlines()) if path.exists() else 0
