"""How long a run was in which phase, to be drawn: a bar of parts, in the order of a run's life."""

from __future__ import annotations

from datetime import datetime

import msgspec

from daftray.domain.run import Run
from daftray.domain.status import RunPhase

WIDTH = 1000
"""Units of a whole bar, whatever its size on the screen."""
_ORDER = [phase for phase in RunPhase if phase is not RunPhase.DONE]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The time in a phase, over all attempts: seconds, and where in the bar it is."""

    phase: RunPhase
    seconds: float
    x: float
    width: float


def parts_of(run: Run, now: datetime) -> list[Part]:
    """Return the parts of a run's bar; the phase that it is in now counts up to now."""
    seconds = {phase: run.timings.get(phase.value, 0.0) for phase in _ORDER}
    if run.phase in seconds:
        seconds[run.phase] += max(0.0, (now - run.phase_since).total_seconds())
    whole = sum(seconds.values())
    parts: list[Part] = []
    x = 0.0
    for phase, length in seconds.items():
        if length > 0:
            width = round(length / whole * WIDTH, 2)
            parts.append(Part(phase=phase, seconds=length, x=round(x, 2), width=width))
            x += width
    return parts


def took(run: Run, now: datetime) -> float:
    """Return for how many seconds a run has run, or waited where it has not started."""
    end = run.completed_at or now
    return max(0.0, (end - (run.started_at or run.created_at)).total_seconds())
