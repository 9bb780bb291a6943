"""How long a run may take over each part of its way, and what is said when it takes longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from daftray.domain.run import Run, Verdict
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs.context import Policy


def queue_ends(run: Run, policy: Policy) -> datetime:
    """Return when a queued run is given up. The pause before a further attempt is not waiting."""
    since = max(run.phase_since, run.not_before or run.phase_since)
    return since + _given(run.queue_timeout_s, policy.queue_deadline)


def queue_verdict(run: Run, policy: Policy) -> Verdict:
    """Return what is said of a run that got no place in time."""
    waited = _words(_given(run.queue_timeout_s, policy.queue_deadline))
    return _failed(
        FailureReason.QUEUE_TIMEOUT,
        f"The run got no place on the cluster within {waited}: allow it a longer queue_timeout_s, or its "
        "cluster more runs at a time.",
    )


def start_ends(run: Run, policy: Policy) -> datetime | None:
    """Return when an attempt must have started; nothing before it was prepared."""
    since = run.current.prepared_at
    return None if since is None else since + _given(run.start_timeout_s, policy.start_deadline)


def of_cluster(run: Run, policy: Policy, now: datetime) -> Verdict | None:
    """Return the verdict of a run whose time on the cluster is up, if it is."""
    if run.phase is RunPhase.RUNNING:
        return _of_running(run, now)
    ends = start_ends(run, policy)
    if ends is None or now < ends:
        return None
    allowed = _words(_given(run.start_timeout_s, policy.start_deadline))
    waited_for = f" It waited for {run.waiting_for}." if run.waiting_for else ""
    return _failed(
        FailureReason.START_TIMEOUT,
        f"The run's code had not started within {allowed}, dependencies included: allow it a longer "
        f"start_timeout_s.{waited_for}",
    )


def _of_running(run: Run, now: datetime) -> Verdict | None:
    started = run.current.started_at
    if run.timeout_s is None or started is None or now < started + timedelta(seconds=run.timeout_s):
        return None
    return _failed(
        FailureReason.RUN_TIMEOUT, f"The run was stopped after its timeout_s of {run.timeout_s:g} s."
    )


def _given(seconds: float | None, otherwise: timedelta) -> timedelta:
    return otherwise if seconds is None else timedelta(seconds=seconds)


def _words(time: timedelta) -> str:
    return f"{time.total_seconds():g} s"


def _failed(reason: FailureReason, detail: str) -> Verdict:
    return Verdict(status=RunStatus.FAILED, reason=reason, detail=detail)
