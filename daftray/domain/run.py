"""A run: the central noun, and the only way in which it changes."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from daftray.domain.metrics import UsageSummary
from daftray.domain.spec import RunSpec
from daftray.domain.status import TRANSITIONS, FailureReason, RunPhase, RunStatus


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at a run: one Ray job. Times are UTC.

    ``last_lines`` are the end of the log of one that failed, masked like the log itself.
    """

    number: int
    status: RunStatus = RunStatus.PENDING
    reason: FailureReason | None = None
    reason_detail: str | None = None
    exit_code: int | None = None
    submission_id: str
    ray_job_id: str | None = None
    ray_session: str | None = None
    prepared_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_lines: tuple[str, ...] = ()
    log_size: int = 0
    """Bytes of the driver's log that are archived."""
    log_removed_at: datetime | None = None
    """When retention removed the archived log."""


class RunEvent(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One advance of a run, kept for ever. ``from`` and ``to`` are statuses, ``phase`` the new phase."""

    at: datetime
    from_: RunStatus
    to: RunStatus
    phase: RunPhase
    attempt: int = 1
    reason: FailureReason | None = None
    detail: str | None = None


class RayJob(msgspec.Struct, frozen=True, kw_only=True):
    """Where to find the run in Ray."""

    submission_id: str
    job_id: str | None = None
    dashboard_url: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ends, known before the last of its log and reports are in."""

    status: RunStatus
    reason: FailureReason | None = None
    detail: str | None = None
    exit_code: int | None = None


class Run(RunSpec, frozen=True, kw_only=True):
    """A run as the API answers it, and as the stores keep it. Times are UTC, ``timings`` in seconds."""

    id: str
    project: str
    status: RunStatus = RunStatus.PENDING
    phase: RunPhase = RunPhase.PINNING
    phase_since: datetime
    reason: FailureReason | None = None
    reason_detail: str | None = None
    exit_code: int | None = None
    commit: str | None = None
    attempt: int = 1
    attempts: tuple[Attempt, ...] = ()
    timings: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    waiting_for: str | None = None
    not_before: datetime | None = None
    """When the next attempt may start, after one that failed."""
    cluster_silent_since: datetime | None = None
    """Since when the cluster has not told how the job is."""
    warnings: tuple[str, ...] = ()
    verdict: Verdict | None = None
    secret_names: tuple[str, ...] = ()
    cluster: str
    ray: RayJob | None = None
    trigger: str = "manual"
    task: str | None = None
    rerun_of: str | None = None
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    usage: UsageSummary | None = None

    @property
    def submission_id(self) -> str:
        """The id of the current attempt's Ray job: our idempotency key there."""
        return self.submission_of(self.attempt)

    def submission_of(self, attempt: int) -> str:
        """Return the id of an attempt's Ray job."""
        return f"{self.id}-{attempt}"

    @property
    def current(self) -> Attempt:
        """The current attempt; one that was never submitted has only its number."""
        for attempt in self.attempts:
            if attempt.number == self.attempt:
                return attempt
        return Attempt(number=self.attempt, submission_id=self.submission_id)

    @property
    def may_have_job(self) -> bool:
        """Whether the current attempt has got so far that there may be a Ray job of it."""
        return any(attempt.number == self.attempt for attempt in self.attempts)

    def advance(
        self, to: RunPhase, at: datetime, *, verdict: Verdict | None = None, detail: str | None = None
    ) -> tuple[Run, RunEvent]:
        """Return the run in its next phase and the event that says so.

        ``verdict`` is needed to enter `harvesting`, and decides the status that `done` gives.

        Raises:
            ValueError: where no such edge exists; that is a defect of daftray's, not of the input.
        """
        if to not in TRANSITIONS[self.phase] or (self.phase, to) == (RunPhase.HARVESTING, RunPhase.QUEUED):
            raise ValueError(f"run {self.id} cannot go from {self.phase} to {to}")
        at = max(at, self.phase_since)  # whose clock it is may change from phase to phase
        decided = verdict or self.verdict
        status = self._status_in(to, decided)
        ended = to is RunPhase.DONE
        timings = {**self.timings, self.phase.value: self._seconds_in_phase(at)}
        after = replace(
            self,
            phase=to,
            phase_since=at,
            status=status,
            timings=timings,
            verdict=decided,
            waiting_for=None,
            not_before=None if to is RunPhase.PREPARING else self.not_before,
            cluster_silent_since=None,
            started_at=at if to is RunPhase.RUNNING else self.started_at,
            completed_at=at if ended else None,
            reason=decided.reason if decided and ended else None,
            reason_detail=decided.detail if decided and ended else None,
            exit_code=decided.exit_code if decided and ended else None,
            attempts=self._attempts_in(to, at, decided),
        )
        event = RunEvent(
            at=at,
            from_=self.status,
            to=status,
            phase=to,
            attempt=self.attempt,
            reason=decided.reason if decided else None,
            detail=detail or (decided.detail if decided else None),
        )
        return after, event

    def retry(self, at: datetime, *, not_before: datetime) -> tuple[Run, RunEvent]:
        """Return the run with its next attempt queued, and the event that says so.

        The attempt that failed keeps its verdict, its log and its reports; the run is pending again.

        Raises:
            ValueError: the run is not being harvested, or its attempt did not fail.
        """
        failed = self.verdict
        if self.phase is not RunPhase.HARVESTING or failed is None or failed.status is not RunStatus.FAILED:
            raise ValueError(f"run {self.id} has no failed attempt to follow up")
        at = max(at, self.phase_since)
        after = replace(
            self,
            attempts=self._ended_attempts(at, failed),
            attempt=self.attempt + 1,
            status=RunStatus.PENDING,
            phase=RunPhase.QUEUED,
            phase_since=at,
            timings={**self.timings, self.phase.value: self._seconds_in_phase(at)},
            verdict=None,
            ray=None,
            waiting_for=None,
            not_before=not_before,
            cluster_silent_since=None,
            started_at=None,
        )
        event = RunEvent(
            at=at,
            from_=self.status,
            to=RunStatus.PENDING,
            phase=RunPhase.QUEUED,
            attempt=after.attempt,
            reason=failed.reason,
            detail=f"attempt {self.attempt} failed; the next may start at {not_before:%H:%M:%S} UTC",
        )
        return after, event

    def _status_in(self, to: RunPhase, verdict: Verdict | None) -> RunStatus:
        if to is RunPhase.RUNNING:
            return RunStatus.RUNNING
        if to in {RunPhase.HARVESTING, RunPhase.DONE} and verdict is None:
            raise ValueError(f"run {self.id} needs a verdict to enter {to}")
        return verdict.status if verdict and to is RunPhase.DONE else self.status

    def _seconds_in_phase(self, at: datetime) -> float:
        before = self.timings.get(self.phase.value, 0.0)
        return round(before + max(0.0, (at - self.phase_since).total_seconds()), 6)

    def _attempts_in(self, to: RunPhase, at: datetime, verdict: Verdict | None) -> tuple[Attempt, ...]:
        """Keep the current attempt's row in step with the run, once it was submitted."""
        if to is RunPhase.RUNNING:
            return self.with_attempt(replace(self.current, status=RunStatus.RUNNING, started_at=at)).attempts
        if to is RunPhase.DONE and self.may_have_job and verdict:
            return self._ended_attempts(at, verdict)
        return self.attempts

    def _ended_attempts(self, at: datetime, verdict: Verdict) -> tuple[Attempt, ...]:
        ended = replace(
            self.current,
            status=verdict.status,
            reason=verdict.reason,
            reason_detail=verdict.detail,
            exit_code=verdict.exit_code,
            ended_at=at,
        )
        return self.with_attempt(ended).attempts

    def with_attempt(self, attempt: Attempt) -> Run:
        """Return the run with that attempt added, or put in place of its older self."""
        others = tuple(one for one in self.attempts if one.number != attempt.number)
        return replace(self, attempts=(*others, attempt))
