"""Whether a failed attempt is followed by another, and when."""

from __future__ import annotations

from datetime import timedelta

from daftray.domain.run import Run
from daftray.domain.status import RETRIED, FailureReason, RunStatus

LONGEST_BACKOFF = timedelta(hours=1)
FREE_RETRIES = 2
"""Attempts beyond those that the run asks for, where Ray lost what we had given it before any code ran."""
_FREE = frozenset({FailureReason.PACKAGE_LOST})


def next_attempt_in(run: Run) -> timedelta | None:
    """Return how long to wait before the next attempt of a run that has its verdict; nothing to end it."""
    verdict = run.verdict
    if run.cancel_requested_at is not None or verdict is None or verdict.status is not RunStatus.FAILED:
        return None
    reasons = [attempt.reason for attempt in run.attempts if attempt.number < run.attempt]
    free = sum(reason in _FREE for reason in reasons)
    if verdict.reason in _FREE and free < FREE_RETRIES:
        return timedelta(0)
    retries = run.retries
    if retries is None or verdict.reason is None:
        return None
    on = RETRIED if retries.on is None else frozenset(retries.on)
    used = run.attempt - 1 - min(free, FREE_RETRIES)
    if verdict.reason not in on or used >= retries.max:
        return None
    return min(timedelta(seconds=retries.backoff * 2**used), LONGEST_BACKOFF)
