"""What there is to count of all runs together, for whoever watches the server."""

from __future__ import annotations

import msgspec

from daftray.domain.project import DEFAULT_WORKSPACE
from daftray.domain.status import FailureReason, RunPhase, RunStatus

PHASE_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0)
"""The upper bounds by which durations of phases are counted; longer ones are counted beside them."""
USED = ("requests", "tokens_in", "tokens_out", "cpu_seconds", "cost")
"""What of a run's usage is summed, as `UsageSummary` calls it; the cost is what is known of it."""


class EndedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of a project (its label) that have ended alike, those included whose record is gone."""

    project: str
    status: RunStatus
    reason: FailureReason | None
    count: int


class LiveRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of a project (its label) that have not ended, by phase. ``oldest_s`` is the longest in it."""

    project: str
    phase: RunPhase
    count: int
    oldest_s: float


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """How long nothing was heard of the quietest of a project's runs whose code runs."""

    project: str
    longest_s: float


class ProjectUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs of a project (its label) have used, as far as it is known: it only grows."""

    project: str
    requests: float = 0.0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    cpu_seconds: float = 0.0
    cost: float = 0.0


class PhaseTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long runs that have ended were in a phase, over all attempts.

    ``counts`` has one more number than `PHASE_SECONDS`: how many were within each bound and no smaller one.
    """

    phase: RunPhase
    counts: tuple[int, ...]
    seconds: float


class Tallies(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, at one moment."""

    ended: tuple[EndedRuns, ...] = ()
    live: tuple[LiveRuns, ...] = ()
    silent: tuple[Silence, ...] = ()
    usage: tuple[ProjectUsage, ...] = ()
    phases: tuple[PhaseTimes, ...] = ()


def bucket_of(seconds: float) -> int:
    """Return the place in `PhaseTimes.counts` of a duration."""
    return next((place for place, most in enumerate(PHASE_SECONDS) if seconds <= most), len(PHASE_SECONDS))


def project_label(name: str, workspace: str, workspace_name: str | None) -> str:
    """Return what a project is called where all workspaces are counted: alone in ``default``, else after it.

    Neither name can hold a slash, so no two projects are called the same.
    """
    return name if workspace == DEFAULT_WORKSPACE else f"{workspace_name or workspace}/{name}"
