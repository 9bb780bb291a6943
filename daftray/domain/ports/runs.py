"""Where runs are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.metrics import UsageSummary
from daftray.domain.project import SealedSecret
from daftray.domain.queue import ClusterLoad, ClusterQueue, QueuePlace
from daftray.domain.run import Run, RunEvent
from daftray.domain.status import RunStatus


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of a project, newest first. ``before`` is the id that the last page ended with.

    ``text`` is looked for in name, entrypoint and commit, whatever its case, but no further than 4,000
    characters; one of less than three characters only among the newest 10,000 runs that fit otherwise.
    ``created_after`` and ``created_before`` exclude the times that they name. ``task`` is a task's id, be the
    task there or gone. An ``offset`` is walked.
    """

    project: str
    status: RunStatus | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    trigger: str | None = None
    task: str | None = None
    before: str | None = None
    offset: int = 0
    limit: int = 50


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to change a run, until it expires or is renewed."""

    token: str
    lease: timedelta


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be kept, with its first event and its own secrets."""

    run: Run
    event: RunEvent
    secrets: tuple[SealedSecret, ...] = ()


class RunStore(Protocol):
    """Runs, their attempts and their history. Each call is one transaction.

    Whether a run is due and a claim holds is decided by the store's own clock, which its replicas share.
    """

    async def add(self, *new: NewRun, key: IdempotencyKey | None = None) -> tuple[str, ...]:
        """Keep new runs of one project, all or none, due at once; return their ids.

        With a key under which runs were added before, nothing is added, and those runs' ids are returned.

        Raises:
            ProjectNotFoundError: their project is not there (any more).
            ConflictError: an id is taken.
            IdempotencyConflictError: the key was used with another digest.
        """
        ...

    async def added_under(self, key: IdempotencyKey) -> tuple[str, ...] | None:
        """Return the ids of the runs that were added under a key. Raises `IdempotencyConflictError`."""
        ...

    async def get(self, run_id: str) -> Run:
        """Return a run. Raises `RunNotFoundError`."""
        ...

    async def project_of(self, run_id: str) -> str | None:
        """Return the id of a run's project, if there is such a run; asked alike whether there is or not."""
        ...

    async def list(self, query: RunQuery) -> list[Run]:
        """Return at most ``query.limit`` runs, newest first."""
        ...

    async def latest_of_tasks(self, project: str, tasks: Sequence[str], *, each: int) -> dict[str, list[Run]]:
        """Return the newest runs of each of some tasks, at most ``each``, by the tasks' ids, newest first.

        A task without runs has an empty list.
        """
        ...

    async def events(self, run_id: str) -> list[RunEvent]:
        """Return a run's history, oldest first."""
        ...

    async def request_cancel(self, run_id: str) -> Run:
        """Note that a run is to be cancelled, unless it has ended or was told so before; return it.

        It is due now; where somebody holds it, as soon as it is released. Raises `RunNotFoundError`.
        """
        ...

    async def claim_due(self, claim: Claim, *, limit: int) -> list[Run]:
        """Claim runs that are not done, are due and that nobody holds, oldest first by due time, then id.

        A claimed run is due again when its lease ends.
        """
        ...

    async def renew(self, claim: Claim, run_ids: Sequence[str]) -> None:
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

    async def release(self, run_id: str, claim: Claim, *, due_in: timedelta) -> None:
        """Give a claimed run back, to be claimed again after that time, or at once if it was woken meanwhile.

        Without the claim, or once the run has ended, this changes nothing.
        """
        ...

    async def admit(
        self,
        claim: Claim,
        cluster: str,
        *,
        choose: Callable[[ClusterQueue], Sequence[str]],
        ahead: int,
    ) -> list[Run]:
        """Give places to the queued runs that ``choose`` names, and claim them; return them in `preparing`.

        One call at a time, over all replicas. At most ``ahead`` waiting runs of each project are looked at;
        runs that somebody holds, or that are to be cancelled, do not wait.
        """
        ...

    async def any_queued(self, cluster: str) -> bool:
        """Tell whether a run is queued before that cluster."""
        ...

    async def queue_place(self, run: Run) -> QueuePlace:
        """Return where a queued run stands."""
        ...

    async def load(self, cluster: str) -> ClusterLoad:
        """Return how many runs that cluster has, and how many wait for it."""
        ...
