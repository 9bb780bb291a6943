"""The last steps: stop what must end, take in what is left of it, and only then say how it ended."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from msgspec.structs import replace

from daftray.domain.cluster import JobStatus
from daftray.domain.errors import ClusterError, JobNotFoundError
from daftray.domain.metrics import summarise
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import steps, verdict
from daftray.runs.context import StepContext, StepOutcome

STOP_POLL = timedelta(seconds=0.3)
ESCALATE_AFTER = timedelta(seconds=4)
"""Ray sends SIGTERM and, three seconds later, SIGKILL; what is still pending then does not hear it at all."""


async def begin_cancel(run: Run, context: StepContext) -> StepOutcome:
    """Turn a request to cancel into the phase that carries it out."""
    return context.advance(run, RunPhase.CANCELLING)


async def cancel(run: Run, context: StepContext) -> StepOutcome:
    """Stop the run's job and look until it has ended, whatever phase it was in."""
    if not run.attempts:
        return _cancelled(run, context)
    waited = context.clock.now() - run.phase_since
    try:
        job = await context.rayjobs.get(run.submission_id)
        if job.status.terminal:
            return _cancelled(run, context)
        if job.status is JobStatus.PENDING and waited > ESCALATE_AFTER:
            await context.rayjobs.kill_supervisor(run.submission_id)
        else:
            await context.rayjobs.stop(run.submission_id)
    except JobNotFoundError:
        return _cancelled(run, context)
    except ClusterError as exc:
        run = replace(run, waiting_for=f"the cluster: {exc.detail}")
    if waited > context.policy.cancel_deadline:
        return _cancelled(run, context, left="Its Ray job had not ended when daftray stopped waiting for it.")
    return StepOutcome(run=run, again_in=STOP_POLL)


async def harvest(run: Run, context: StepContext) -> StepOutcome:
    """Take in the last bytes of the log and the last reports, then give the run its terminal status."""
    run = _with_last_word(run)
    if run.attempts and not await _log_is_whole(run, context):
        late = context.clock.now() - run.phase_since > context.policy.harvest_deadline
        if not late:
            return StepOutcome(run=run, again_in=STOP_POLL)
    # Whoever folds counters in does it too, but may have read the totals before the last ones came.
    await context.runs.save_usage(run.id, summarise(await context.reports.totals(run.id)).summary())
    return context.advance(run, RunPhase.DONE)


async def give_up(run: Run, context: StepContext) -> StepOutcome:
    """Move on a run whose step keeps failing, by what is known of it: it must not hold its place for ever."""
    if run.phase is RunPhase.HARVESTING:
        return context.advance(_with_last_word(run), RunPhase.DONE, detail="The end of its log is missing.")
    if run.phase is RunPhase.CANCELLING:
        return _cancelled(run, context, left="daftray failed at stopping its Ray job, which may go on.")
    if run.attempts:
        with contextlib.suppress(ClusterError):
            await context.rayjobs.stop(run.submission_id)
    said = "daftray failed at this run again and again; its operator finds the error in the server's log."
    return steps.failed(run, context, FailureReason.INTERNAL, said)


def _with_last_word(run: Run) -> Run:
    """Let a cancel that came after the verdict count, as long as the run has not ended."""
    if run.cancel_requested_at is None or run.verdict is None or run.verdict.status is RunStatus.CANCELLED:
        return run
    return replace(run, verdict=verdict.CANCELLED)


async def _log_is_whole(run: Run, context: StepContext) -> bool:
    """Copy what is left of the log; answer whether that was all."""
    try:
        job = await context.rayjobs.get(run.submission_id)
        secrets = await context.to_mask(run)
        return not await context.archive.copy(run, job, claim=context.claim, secrets=secrets)
    except JobNotFoundError:
        return True
    except ClusterError:
        return False


def _cancelled(run: Run, context: StepContext, *, left: str | None = None) -> StepOutcome:
    decided = verdict.CANCELLED if left is None else replace(verdict.CANCELLED, detail=left)
    now: datetime = context.clock.now()
    after, event = run.advance(RunPhase.HARVESTING, now, verdict=decided)
    return StepOutcome(run=after, events=(event,))
