"""Where runs are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from daftray.domain.metrics import UsageSummary
from daftray.domain.project import SealedSecret
from daftray.domain.run import Run, RunEvent
from daftray.domain.status import RunPhase, RunStatus


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of a project, newest first. ``before`` is the id that the last page ended with.

    ``text`` is looked for in name, entrypoint and commit, whatever its case; ``created_after`` and
    ``created_before`` exclude the times that they name.
    """

    project: str
    status: RunStatus | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    trigger: str | None = None
    before: str | None = None
    offset: int = 0
    limit: int = 50


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to change a run, until it expires or is renewed."""

    token: str
    lease: timedelta


class RunStore(Protocol):
    """Runs, their attempts and their history. Each call is one transaction."""

    async def add(self, run: Run, event: RunEvent, *, secrets: Sequence[SealedSecret] = ()) -> None:
        """Keep a new run, due at once, its first event and its own secrets.

        Raises:
            ProjectNotFoundError: its project is not there (any more).
            ConflictError: its id is taken.
        """
        ...

    async def get(self, run_id: str) -> Run:
        """Return a run. Raises `RunNotFoundError`."""
        ...

    async def list(self, query: RunQuery) -> list[Run]:
        """Return at most ``query.limit`` runs, newest first."""
        ...

    async def events(self, run_id: str) -> list[RunEvent]:
        """Return a run's history, oldest first."""
        ...

    async def request_cancel(self, run_id: str, at: datetime) -> Run:
        """Note that a run is to be cancelled, unless it has ended or was told so before; return it.

        It is due now; where somebody holds it, as soon as it is released. Raises `RunNotFoundError`.
        """
        ...

    async def claim_due(self, claim: Claim, *, now: datetime, limit: int) -> list[Run]:
        """Claim runs that are not done, are due and that nobody holds, oldest first by due time, then id.

        A claimed run is due again when its lease ends.
        """
        ...

    async def renew(self, claim: Claim, run_ids: Sequence[str], *, now: datetime) -> None:
        """Hold claimed runs for another lease."""
        ...

    async def save(self, run: Run, events: Sequence[RunEvent], claim: Claim) -> None:
        """Write what became of a claimed run, and its new events.

        What was asked (`RunSpec`, project, trigger and so on) never changes, and `Run.usage` has its own
        call. An attempt's log never shrinks. A run that has ended keeps its status.

        `Run.cancel_requested_at` is not written but compared: a cancel that the writer has not seen makes
        this fail, so that it can't be lost.

        Raises:
            StaleClaimError: the claim is not held any more, or a cancel came in, or the run ended meanwhile.
        """
        ...

    async def save_log_size(self, run_id: str, attempt: int, size: int, claim: Claim) -> None:
        """Note how much of an attempt's log is archived. Raises `StaleClaimError`."""
        ...

    async def save_usage(self, run_id: str, usage: UsageSummary) -> None:
        """Note a run's usage, for lists. Needs no claim: it never decides anything."""
        ...

    async def release(self, run_id: str, claim: Claim, *, due_at: datetime) -> None:
        """Give a claimed run back, to be claimed again when it is due, or at once if it was woken meanwhile.

        Without the claim, or once the run has ended, this changes nothing.
        """
        ...

    async def make_due(self, *, phase: RunPhase, now: datetime, limit: int) -> None:
        """Make the oldest runs of a phase due now: something that they wait for has changed."""
        ...

    async def occupying(self, cluster: str) -> int:
        """Return how many runs take a place on that cluster (`ON_CLUSTER`)."""
        ...

    async def queue_position(self, run: Run) -> int:
        """Return how many queued runs of the same cluster stand before this one."""
        ...
