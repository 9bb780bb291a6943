"""The step of a run that is on the cluster: look at its job, archive its log, fold its reports in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from daftray.domain.cluster import Job, JobStatus
from daftray.domain.errors import ClusterError, JobNotFoundError
from daftray.domain.report import AttemptReports
from daftray.domain.run import RayJob, Run
from daftray.domain.status import RunPhase
from daftray.logs.masking import Mask
from daftray.runs import deadlines, steps, verdict
from daftray.runs.context import StepContext, StepOutcome

GROWING_POLL = timedelta(seconds=0.2)
"""While a log grows, somebody may be watching it."""
QUIET_POLL = timedelta(seconds=0.5)
"""What matters wakes us: the runner reports its start and its end."""
UNREACHABLE_POLL = timedelta(seconds=2)


async def observe(run: Run, context: StepContext) -> StepOutcome:
    """Return the run as its job now is; a cluster that does not tell changes nothing but the next look."""
    try:
        job = await context.rayjobs.get(run.submission_id)
    except JobNotFoundError:
        return await _missing(run, context)
    except ClusterError as exc:  # a refusal to tell (a changed token) says nothing of the job either
        return await _silent(run, context, exc)
    return await _seen(run, job, context)


async def _seen(run: Run, job: Job, context: StepContext) -> StepOutcome:
    """Return the run as its job is. A budget is looked at first: each moment that passes may cost more."""
    if not job.status.terminal and (spent := verdict.of_budget(run, run.usage)) is not None:
        return context.advance(run, RunPhase.CANCELLING, verdict=spent)
    seen = _with_ray(run, job, context, await context.capacity.waited_for(run, job))
    grew = await _copy_log(seen, job, context)
    context.reservations.look(seen, job)
    reports = await context.reports.reports(run.id, run.attempt)
    if job.status.terminal:
        return steps.decided(seen, context, verdict.of_job(seen, await _masked(run, job, context), reports))
    if (to := _next_phase(seen, job, reports)) is not None:
        return context.advance(seen, to)
    if (over := deadlines.of_cluster(seen, context.policy, context.clock.now())) is not None:
        return context.advance(seen, RunPhase.CANCELLING, verdict=over)
    return StepOutcome(run=seen, again_in=_poll(grew=grew))


async def _silent(run: Run, context: StepContext, error: ClusterError) -> StepOutcome:
    """Wait for a cluster that does not tell, for as long as the run's own reports come, and a while longer.

    What the runner said of its end counts then, though Ray never confirmed it.
    """
    now = context.clock.now()
    since = run.cluster_silent_since or now
    reports = await context.reports.reports(run.id, run.attempt)
    if now - max(since, reports.heard_at or since) > context.policy.cluster_deadline:
        return steps.decided(run, context, verdict.of_silence(run, reports, error.detail))
    waiting = replace(run, waiting_for=f"the cluster: {error.detail}", cluster_silent_since=since)
    return StepOutcome(run=waiting, again_in=UNREACHABLE_POLL)


async def _copy_log(run: Run, job: Job, context: StepContext) -> bool:
    """Archive what is new; a log that cannot be read now holds nothing else up."""
    try:
        return await context.archive.copy(run, job, claim=context.claim, secrets=await context.to_mask(run))
    except ClusterError:
        return False


async def _masked(run: Run, job: Job, context: StepContext) -> Job:
    """Take secret values out of Ray's message, which quotes the end of the driver's log."""
    secrets = await context.to_mask(run)
    return replace(job, message=await asyncio.to_thread(lambda: Mask(secrets.values()).text(job.message)))


def _next_phase(run: Run, job: Job, reports: AttemptReports) -> RunPhase | None:
    if reports.started is not None and run.phase in {RunPhase.INSTALLING, RunPhase.STARTING}:
        return RunPhase.RUNNING
    if job.status is JobStatus.RUNNING and run.phase is RunPhase.INSTALLING:
        return RunPhase.STARTING
    return None


def _poll(*, grew: bool) -> timedelta:
    return GROWING_POLL if grew else QUIET_POLL


def _with_ray(run: Run, job: Job, context: StepContext, waiting: str | None) -> Run:
    """Note where to find the job in Ray, as soon as that is known, and what the run waits for there."""
    url = context.rayjobs.dashboard_url(job.job_id or job.submission_id)
    ray = RayJob(submission_id=job.submission_id, job_id=job.job_id, dashboard_url=url)
    if run.ray == ray and run.waiting_for == waiting and run.cluster_silent_since is None:
        return run
    known = replace(run, ray=ray, waiting_for=waiting, cluster_silent_since=None)
    return known.with_attempt(replace(known.current, ray_job_id=job.job_id))


async def _missing(run: Run, context: StepContext) -> StepOutcome:
    try:
        session = (await context.rayjobs.info()).session
    except ClusterError as exc:
        return await _silent(run, context, exc)
    reports = await context.reports.reports(run.id, run.attempt)
    return steps.decided(run, context, verdict.of_missing_job(run, session, reports))
