"""The steps from a new run to a submitted job: one function per phase.

Each takes the run as it is stored and answers what became of it; the reconciler saves that. A step may be
cut off anywhere and taken again, so whatever it does outside the database must bear a second time.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from daftray.domain.cluster import JobSubmission, Package
from daftray.domain.errors import (
    ClusterError,
    ClusterUnreachableError,
    DaftrayError,
    JobExistsError,
    JobNotFoundError,
    PythonVersionError,
    SecretNotFoundError,
    SourceDeniedError,
    SourceError,
    SourceNotFoundError,
    SourceTooLargeError,
    SourceUnavailableError,
)
from daftray.domain.run import Run, Verdict
from daftray.domain.spec import GitSource
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import deadlines
from daftray.runs.admission import choose
from daftray.runs.context import StepContext, StepOutcome
from daftray.runtime_env import python_version, submission

RETRY_IN = timedelta(seconds=2)
"""Between two tries at something that does not answer."""
_REASONS: dict[type[DaftrayError], FailureReason] = {
    SourceNotFoundError: FailureReason.SOURCE_NOT_FOUND,
    SourceUnavailableError: FailureReason.SOURCE_NOT_FOUND,
    SourceDeniedError: FailureReason.SOURCE_DENIED,
    SecretNotFoundError: FailureReason.SOURCE_DENIED,
    SourceTooLargeError: FailureReason.SOURCE_TOO_LARGE,
}
PINNED_FOR = timedelta(minutes=5)
"""Ray keeps a package that no job uses for ten minutes after it was asked for."""


async def pin(run: Run, context: StepContext) -> StepOutcome:
    """Resolve the run's ref to a commit and pack its tree, before any waiting: so waiting changes nothing."""
    if run.source.git is None:
        return context.advance(run, RunPhase.QUEUED)
    try:
        pinned = await _pinned(run, run.source.git, context)
        # Built now, while the commit is surely here: the remote may lose it, and another replica may go on.
        await _package(pinned, context)
    except (SourceError, SecretNotFoundError) as exc:
        return _source_failed(run, context, exc)
    return context.advance(pinned, RunPhase.QUEUED, detail=f"commit {pinned.commit}")


async def queue(run: Run, context: StepContext) -> StepOutcome:
    """Leave the run in the queue until it is given a place (`RunStore.admit`) or has waited too long."""
    left = deadlines.queue_ends(run, context.policy) - context.clock.now()
    if left <= timedelta(0):
        return decided(run, context, deadlines.queue_verdict(run, context.policy))
    waiting = replace(run, waiting_for="a place on the cluster")
    return StepOutcome(run=waiting, again_in=left, parked=True)


async def admit(context: StepContext, limit: int) -> list[Run]:
    """Give places to queued runs, at most so many; return them, claimed."""
    if not await context.runs.any_queued(context.cluster):
        return []
    room = await context.room()
    return await context.runs.admit(
        context.claim, context.cluster, choose=lambda queue: choose(queue, room)[:limit], ahead=limit
    )


async def prepare(run: Run, context: StepContext) -> StepOutcome:
    """Make the package of the run's tree and bring it to Ray."""
    try:
        if run.source.git is not None and run.commit is None:  # no attempt before this one got so far
            run = await _pinned(run, run.source.git, context)
        cluster, package = await asyncio.gather(context.rayjobs.info(), _bring(run, context))
        python_version.check(run.environment.python_version, cluster.python_version)
    except ClusterError as exc:
        return _cluster_failed(run, context, exc)
    except PythonVersionError as exc:
        return failed(run, context, FailureReason.PYTHON_UNAVAILABLE, exc.detail)
    except (SourceError, SecretNotFoundError) as exc:
        return _source_failed(run, context, exc)
    attempt = replace(run.current, ray_session=cluster.session, prepared_at=context.clock.now())
    warned = replace(run.with_attempt(attempt), warnings=package.warnings)
    return context.advance(warned, RunPhase.SUBMITTING, detail="; ".join(package.warnings) or None)


async def submit(run: Run, context: StepContext) -> StepOutcome:
    """Submit the attempt's job, unless an earlier, interrupted try has: then that one is adopted.

    Its id is ours, so Ray refuses a second one, too.
    """
    try:
        if await _earlier_goes_on(run, context):
            if (over := deadlines.of_cluster(run, context.policy, context.clock.now())) is not None:
                return decided(run, context, over)
            waiting = replace(run, waiting_for="the job of an earlier attempt to end")
            return StepOutcome(run=waiting, again_in=RETRY_IN)
        if not await _is_there(run, context):
            await context.rayjobs.submit(await _job(run, context))
    except JobExistsError:
        pass  # that try's request was still on its way
    except (ClusterError, SourceError, SecretNotFoundError) as exc:
        instead = await _not_submitted(run, context, exc)
        if instead is not None:
            return instead
    installs = bool(run.environment.dependencies)
    return context.advance(run, RunPhase.INSTALLING if installs else RunPhase.STARTING)


async def _is_there(run: Run, context: StepContext) -> bool:
    try:
        await context.rayjobs.get(run.submission_id)
    except JobNotFoundError:
        return False
    return True


async def _earlier_goes_on(run: Run, context: StepContext) -> bool:
    """End the jobs of earlier attempts that came back with a cluster that was given up on; tell of any."""
    goes_on = False
    for number in range(1, run.attempt):
        with contextlib.suppress(JobNotFoundError):
            before = await context.rayjobs.get(run.submission_of(number))
            if not before.status.terminal:
                # Ray's own stop would leave one alone that waits for resources.
                await context.rayjobs.sweep(before.submission_id)
                goes_on = True
    return goes_on


async def _not_submitted(
    run: Run, context: StepContext, error: ClusterError | SourceError | SecretNotFoundError
) -> StepOutcome | None:
    """Return what becomes of a run that could not be submitted; nothing where an earlier try got through.

    That try may have lost its answer, or its server: a run that failed here would leave its job behind.
    """
    if isinstance(error, ClusterError):
        outcome = _cluster_failed(run, context, error)
    else:
        outcome = _source_failed(run, context, error)
    if outcome.run.phase is RunPhase.SUBMITTING:
        return outcome  # it waits, and comes back here
    try:
        await context.rayjobs.get(run.submission_id)
    except ClusterUnreachableError as exc:
        return _cluster_failed(run, context, exc)
    except ClusterError:
        return outcome
    return None


def failed(run: Run, context: StepContext, reason: FailureReason, detail: str) -> StepOutcome:
    """Return the outcome of a step that found out that the run cannot succeed."""
    return decided(run, context, Verdict(status=RunStatus.FAILED, reason=reason, detail=detail))


def decided(run: Run, context: StepContext, verdict: Verdict) -> StepOutcome:
    """Return the outcome of a step that found out how the run's attempt ends."""
    after, event = run.advance(RunPhase.HARVESTING, context.clock.now(), verdict=verdict)
    return StepOutcome(run=after, events=(event,))


async def _job(run: Run, context: StepContext) -> JobSubmission:
    """Return the attempt's job, once Ray has all that it names."""
    package, runner = await asyncio.gather(_package(run, context), context.packages.runner())
    # A folder may have changed since; a commit has not. Where the run waits, a try did not get through: the
    # head may be a new one, which has no packages.
    late = context.clock.now() - run.phase_since > PINNED_FOR
    if run.source.directory is not None or run.waiting_for is not None or late:
        package = await _bring(run, context)
    return submission.build(
        run,
        package=package,
        runner=runner,
        report_url=context.policy.report_url,
        run_token=context.tokens.issue(run.id, run.attempt),
        installer=context.policy.installer,
    )


async def _pinned(run: Run, git: GitSource, context: StepContext) -> Run:
    """Return the run with the commit that its ref is now."""
    repository = await context.sources.repository(run)
    ref = git.ref or (None if git.hash else await context.sources.default_branch(run))
    commit = await context.mirrors.pin(
        repository, ref=ref, commit=git.hash or None, bundle=await context.sources.bundle(run)
    )
    return replace(run, commit=commit)


async def _package(run: Run, context: StepContext) -> Package:
    if run.source.directory is not None:
        return await context.packages.from_directory(Path(run.source.directory.path))
    if run.source.git is None:
        return await context.packages.empty()
    if run.commit is None:
        raise ValueError(f"run {run.id} was not pinned")
    repository = await context.sources.repository(run)
    return await context.packages.build(repository, run.commit, patch=await context.sources.patch(run))


async def _bring(run: Run, context: StepContext) -> Package:
    """Make sure that Ray has the run's package and the runner's; return the run's."""

    async def of_runner() -> None:
        await context.rayjobs.ensure_package(await context.packages.runner())

    async def of_run() -> Package:
        package = await _package(run, context)
        await context.rayjobs.ensure_package(package)
        return package

    return (await asyncio.gather(of_run(), of_runner()))[0]


def _cluster_failed(run: Run, context: StepContext, error: ClusterError) -> StepOutcome:
    """Wait for a cluster that does not answer, though not for ever; one that refuses will refuse again."""
    silent_for = context.clock.now() - (run.cluster_silent_since or context.clock.now())
    if not error.retryable or silent_for > context.policy.cluster_deadline:
        return failed(run, context, FailureReason.CLUSTER_UNAVAILABLE, error.detail)
    run = replace(run, cluster_silent_since=run.cluster_silent_since or context.clock.now())
    return StepOutcome(run=replace(run, waiting_for=f"the cluster: {error.detail}"), again_in=RETRY_IN)


def _source_failed(run: Run, context: StepContext, error: SourceError | SecretNotFoundError) -> StepOutcome:
    patience = context.policy.source_deadline - (context.clock.now() - run.phase_since)
    if error.retryable and patience > timedelta(0):
        waiting = replace(run, waiting_for=f"the Git remote: {error.detail}")
        return StepOutcome(run=waiting, again_in=RETRY_IN)
    reason = _REASONS.get(type(error), FailureReason.SOURCE_REFUSED)
    return failed(run, context, reason, error.detail)
