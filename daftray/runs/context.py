"""What the steps of a run work with, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from daftray.domain.ports import Claim, Clock, GitMirrors, Packages, RayJobs, ReportStore, RunStore
from daftray.domain.run import Run, RunEvent, Verdict
from daftray.domain.status import RunPhase
from daftray.identity.run_tokens import RunTokens
from daftray.logs.archive import LogArchive
from daftray.metrics.accounts import Accounts
from daftray.metrics.reservations import Reservations
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.admission import Room
from daftray.runs.capacity import Capacity
from daftray.runs.sources import RunSources

SOON = timedelta(0)
"""Take the next step at once."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the operator decides. ``report_url`` is this server's address as the cluster sees it."""

    report_url: str
    max_running: int
    head_reserve: int = 512 * 1024**2
    memory_per_run: int = 400 * 1024**2
    """Bytes of the head's memory that stay free, and that a starting run is reckoned with."""
    installer: Literal["uv", "pip"] = "uv"
    source_deadline: timedelta = timedelta(minutes=5)
    """How long a remote that does not answer is tried again."""
    queue_deadline: timedelta = timedelta(days=7)
    """How long a run waits for a place, where it names no ``queue_timeout_s``."""
    start_deadline: timedelta = timedelta(minutes=30)
    """How long an attempt takes to start, dependencies included, where it names no ``start_timeout_s``."""
    cluster_deadline: timedelta = timedelta(minutes=10)
    """How long a cluster may be silent about a job whose runner is silent, too."""
    cancel_deadline: timedelta = timedelta(seconds=12)
    """How long a job may take to end, and what it left behind to go, once it was told to stop."""
    harvest_deadline: timedelta = timedelta(seconds=60)
    """How long the last bytes of a log are waited for when the cluster does not answer."""


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """The collaborators of the steps."""

    runs: RunStore
    reports: ReportStore
    sources: RunSources
    secrets: ProjectSecrets
    mirrors: GitMirrors
    packages: Packages
    rayjobs: RayJobs
    archive: LogArchive
    tokens: RunTokens
    clock: Clock
    policy: Policy
    claim: Claim
    cluster: str
    capacity: Capacity
    accounts: Accounts
    reservations: Reservations

    async def to_mask(self, run: Run) -> dict[str, str]:
        """Return what the archived log of a run must not show: its secrets, and its own token."""
        tokens = self.tokens.valid(run.id, run.attempt)
        named = {f"DAFTRAY_RUN_TOKEN under key {number}": token for number, token in enumerate(tokens)}
        return {**await self.secrets.of_run(run), **named}

    async def room(self) -> Room:
        """Return how many runs the cluster may hold now; without its word, only the places count."""
        there = await self.capacity.now()
        return Room(
            places=self.policy.max_running,
            head_free=None if there is None else there.head_memory_free,
            head_reserve=self.policy.head_reserve,
            per_run=self.policy.memory_per_run,
        )

    def advance(
        self, run: Run, to: RunPhase, *, verdict: Verdict | None = None, detail: str | None = None
    ) -> StepOutcome:
        """Return the outcome of a step that moved its run on."""
        after, event = run.advance(to, self.clock.now(), verdict=verdict, detail=detail)
        return StepOutcome(run=after, events=(event,))


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """What a step made of its run, and when to look at it again.

    ``parked`` gives the run back until it is due: it waits for something that is not its own.
    """

    run: Run
    events: tuple[RunEvent, ...] = ()
    again_in: timedelta = SOON
    parked: bool = False
