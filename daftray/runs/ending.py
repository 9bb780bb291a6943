"""The last steps: stop what must end, take in what is left of it, and only then say how it ended."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from msgspec.structs import replace

from daftray.domain.errors import BlobNotFoundError, ClusterError, JobNotFoundError, LogNotFoundError
from daftray.domain.metrics import RunMetrics
from daftray.domain.run import Run, Verdict
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import retrying, steps, verdict
from daftray.runs.context import StepContext, StepOutcome

STOP_POLL = timedelta(seconds=0.3)
LINES_KEPT = 20
_MODELS_NAMED = 5
LINES_READ = 8 * 1024
"""Bytes of the log's end in which the last lines of a failed attempt are looked for."""


async def begin_cancel(run: Run, context: StepContext) -> StepOutcome:
    """Turn a request to cancel into the phase that carries it out."""
    return context.advance(run, RunPhase.CANCELLING)


async def cancel(run: Run, context: StepContext) -> StepOutcome:
    """Stop the run's job, whatever phase it was in, until nothing of it is left; say what could not go."""
    if not run.may_have_job:
        return _stopped(run, context)
    try:
        left = await context.rayjobs.sweep(run.submission_id)
        return _stopped(run, context, left="; ".join(left))
    except ClusterError as exc:
        waited = context.clock.now() - run.phase_since
        if waited >= context.policy.cancel_deadline:
            said = f"its Ray job, perhaps: daftray has stopped asking. {exc.detail}"
            return _stopped(run, context, left=said)
        waiting = replace(run, waiting_for=f"the cluster: {exc.detail}")
    return StepOutcome(run=waiting, again_in=STOP_POLL)


async def harvest(run: Run, context: StepContext) -> StepOutcome:
    """Take in the last bytes of the log and the last reports; then the run ends, or is tried again."""
    if _was_cancelled_late(run) and run.may_have_job:
        return await _cancel_late(run, context)
    run = _with_last_word(run)
    if run.may_have_job:
        run, whole = await _with_log(run, context)
        if not whole:
            return StepOutcome(run=run, again_in=STOP_POLL)
    used = await context.accounts.note(run.id, context.runs)
    if run.verdict is not None and run.verdict.status is RunStatus.FAILED and run.may_have_job:
        run = run.with_attempt(replace(run.current, last_lines=await _last_lines(run, context)))
    pause = retrying.next_attempt_in(run)
    spent = verdict.of_budget(run, used.summary())
    if pause is not None and spent is not None:  # the next attempt would be stopped at once
        run, pause = replace(run, verdict=_after(spent, run.verdict)), None
    if pause is None:
        return context.advance(_with_remarks(run, used, spent), RunPhase.DONE)
    now = context.clock.now()
    after, event = run.retry(now, not_before=now + pause)
    return StepOutcome(run=after, events=(event,))


async def give_up(run: Run, context: StepContext) -> StepOutcome:
    """Move on a run whose step keeps failing, by what is known of it: it must not hold its place for ever."""
    if run.phase is RunPhase.HARVESTING:
        return context.advance(_with_last_word(run), RunPhase.DONE, detail="The end of its log is missing.")
    if run.phase is RunPhase.CANCELLING:
        return _stopped(run, context, left="its Ray job, which daftray failed to stop")
    if run.may_have_job:
        with contextlib.suppress(ClusterError):
            await context.rayjobs.stop(run.submission_id)
    said = "daftray failed at this run again and again; its operator finds the error in the server's log."
    return steps.failed(run, context, FailureReason.INTERNAL, said)


def _was_cancelled_late(run: Run) -> bool:
    """Tell whether a cancel came after the verdict, and has not changed it yet."""
    decided = run.verdict
    return run.cancel_requested_at is not None and not (decided and decided.status is RunStatus.CANCELLED)


def _with_last_word(run: Run) -> Run:
    """Let a cancel that came after the verdict count, as long as the run has not ended."""
    return replace(run, verdict=verdict.CANCELLED) if _was_cancelled_late(run) else run


async def _cancel_late(run: Run, context: StepContext) -> StepOutcome:
    """Clear away what the code left behind by itself, since it is not wanted any more: the cancel counts."""
    now = context.clock.now()
    since: datetime | None = None
    try:
        left = "; ".join(await context.rayjobs.sweep(run.submission_id))
    except ClusterError as exc:
        since = run.cluster_silent_since or now
        if context.clock.now() - since < context.policy.cancel_deadline:
            return StepOutcome(run=replace(run, cluster_silent_since=since), again_in=STOP_POLL)
        left = f"whatever its code left there: daftray has stopped asking. {exc.detail}"
    decided = _left_behind(verdict.CANCELLED, left)
    return StepOutcome(run=replace(run, verdict=decided, cluster_silent_since=since))


async def _with_log(run: Run, context: StepContext) -> tuple[Run, bool]:
    """Copy what is left of the log; return the run, and whether that was all, or all that there will be.

    It is the cluster's silence that has a limit: while no server was there, nobody has asked it.
    """
    now, limit = context.clock.now(), context.policy.harvest_deadline
    try:
        job = await context.rayjobs.get(run.submission_id)
        grew = await context.archive.copy(run, job, claim=context.claim, secrets=await context.to_mask(run))
    except JobNotFoundError:
        return run, True
    except ClusterError:
        since = run.cluster_silent_since or now
        return replace(run, cluster_silent_since=since), now - since > limit
    run = replace(run, cluster_silent_since=None)
    # A job that could not be stopped may write for ever.
    whole = not grew or (not job.status.terminal and now - run.phase_since > limit)
    if whole:
        await context.reservations.settle(run, job)
    return run, whole


async def _last_lines(run: Run, context: StepContext) -> tuple[str, ...]:
    """Return the end of the archived log: what people look at first when a run has failed."""
    try:
        attempt, size = await context.archive.size(run.id)
        end = await context.archive.read(run.id, attempt, size=size, start=size - LINES_READ, end=size)
    except (BlobNotFoundError, LogNotFoundError):
        return ()
    return tuple(end.decode(errors="replace").splitlines()[-LINES_KEPT:])


def _after(spent: Verdict, failed: Verdict | None) -> Verdict:
    """Return the verdict of a run that gets no further attempt since its budget is used up."""
    why = f" Its last attempt failed: {failed.reason}." if failed and failed.reason else ""
    return replace(spent, detail=f"{spent.detail}{why}", exit_code=failed.exit_code if failed else None)


def _with_remarks(run: Run, used: RunMetrics, spent: Verdict | None) -> Run:
    """Say of a run with a budget what its end alone does not tell."""
    remarks: list[str] = []
    if spent is not None and run.verdict and run.verdict.reason is not spent.reason:
        remarks.append(f"{spent.detail} It ended before it was stopped.")
    if run.budget and run.budget.usd is not None and used.cost_missing:
        models = sorted({one.model or "a model that was not named" for one in used.cost_missing})
        remarks.append(
            f"The budget in dollars did not count {', '.join(models[:_MODELS_NAMED])}"
            f"{' and others' if len(models) > _MODELS_NAMED else ''}: the cost is not known."
        )
    return replace(run, warnings=(*run.warnings, *remarks)) if remarks else run


def _stopped(run: Run, context: StepContext, *, left: str = "") -> StepOutcome:
    """Return the outcome of a run that is stopped, with what of it is left on the cluster."""
    decided = verdict.CANCELLED if run.cancel_requested_at or run.verdict is None else run.verdict
    return steps.decided(run, context, _left_behind(decided, left))


def _left_behind(decided: Verdict, left: str) -> Verdict:
    if not left:
        return decided
    return replace(decided, detail=f"{decided.detail} Left on the cluster: {left.removesuffix('.')}.".strip())
