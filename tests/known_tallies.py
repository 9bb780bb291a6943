"""Counts of all runs in which everything occurs that the server shows."""

from __future__ import annotations

from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.domain.tally import EndedRuns, LiveRuns, PhaseTimes, ProjectUsage, Silence, Tallies

TALLIES = Tallies(
    ended=(
        EndedRuns(project="a", status=RunStatus.FAILED, reason=FailureReason.KILLED, count=2),
        EndedRuns(project="a", status=RunStatus.SUCCEEDED, reason=None, count=5),
    ),
    live=(
        LiveRuns(project="a", phase=RunPhase.QUEUED, count=7, oldest_s=90),
        LiveRuns(project="b", phase=RunPhase.RUNNING, count=1, oldest_s=3),
    ),
    silent=(Silence(project="b", longest_s=2),),
    usage=(
        ProjectUsage(project="a", requests=1, tokens_in=10, tokens_out=3, cpu_seconds=2.5, cost=0.5),
        ProjectUsage(project="b"),
    ),
    phases=(PhaseTimes(phase=RunPhase.PINNING, counts=(2, 1, *(0,) * 11, 4), seconds=99.5),),
)


class KnownTallies:
    async def read(self) -> Tallies:
        return TALLIES
