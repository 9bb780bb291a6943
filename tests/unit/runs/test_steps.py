"""The steps before a job is on the cluster, where something is in their way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fake_ray import FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, Package
from daftray.domain.errors import (
    ClusterUnreachableError,
    SourceNotFoundError,
    SourceTooLargeError,
    SourceUnavailableError,
)
from daftray.domain.run import Run
from daftray.domain.spec import GitSource, Source
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.runs import steps

GOES_ON = (JobStatus.RUNNING,)


async def a_plane(*, places: int = 2) -> ControlPlane:
    return await ControlPlane(places=places, rayjobs=FakeRayJobs(GOES_ON)).open()


async def in_phase(plane: ControlPlane, phase: RunPhase) -> Run:
    return await plane.until(await plane.create(), phase)


async def test_a_remote_is_tried_again_until_its_deadline_and_then_no_more() -> None:
    plane = await a_plane()
    plane.mirrors.error = SourceUnavailableError("no route")
    run = await plane.create()
    patience = plane.context.policy.source_deadline
    while (now := (await plane.step(run)).run).phase is RunPhase.PINNING:
        assert plane.clock.now() - run.created_at <= patience + steps.RETRY_IN
    assert plane.clock.now() - run.created_at >= patience
    assert now.verdict is not None
    assert now.verdict.reason is FailureReason.SOURCE_NOT_FOUND


async def test_a_remote_that_comes_back_is_pinned() -> None:
    plane = await a_plane()
    plane.mirrors.error = SourceUnavailableError("no route")
    run = await plane.create()
    await plane.step(run)
    plane.mirrors.error = None
    after = (await plane.step(run)).run
    assert (after.phase, after.waiting_for) == (RunPhase.QUEUED, None)


async def test_what_a_run_brought_along_is_pinned_with_it() -> None:
    plane = await a_plane()
    given: list[bytes | None] = []
    pin = plane.mirrors.pin

    async def seen(*args: object, **more: object) -> str:
        given.append(more["bundle"])  # type: ignore[arg-type] (bytes, as the port says)
        return await pin(*args, **more)  # type: ignore[arg-type] (the port's own arguments)

    plane.mirrors.pin = seen
    run = await plane.create(source=Source(git=GitSource(hash="abc1234", bundle="IyB2MiBnaXQ=")))
    await plane.step(run)
    assert given == [b"# v2 git"]


async def test_a_queued_run_is_parked_with_words_until_there_is_a_place() -> None:
    plane = await a_plane(places=1)
    first, second = await plane.create(), await plane.create()
    await plane.until(first, RunPhase.STARTING)
    await plane.until(second, RunPhase.QUEUED)
    parked = await plane.step(second)
    assert parked.parked
    assert parked.run.waiting_for == "a place on the cluster"
    assert (await plane.runs.get(plane.project, second.id)).waiting_for == (
        "a place on the cluster: 1 of 1 are taken; runs of its project before it: 0; runs that wait in all: 1"
    )


async def test_no_more_runs_are_admitted_at_once_than_are_asked_for_and_no_fewer() -> None:
    plane = await a_plane(places=9)
    runs = [await plane.create() for _ in range(5)]
    for run in runs:
        await plane.act(run)
        queued, event = (await plane.stores.runs.get(run.id)).advance(RunPhase.QUEUED, plane.clock.now())
        await plane.stores.runs.save(queued, (event,), plane.context.claim)
    for run in runs:
        await plane.stores.runs.release(run.id, plane.context.claim, due_in=timedelta(hours=1))
    admitted = [[run.id for run in await steps.admit(plane.context, 3)] for _ in range(2)]
    assert admitted == [[run.id for run in runs[:3]], [run.id for run in runs[3:]]]


async def test_a_run_that_is_cancelled_in_the_queue_lets_the_next_one_through() -> None:
    plane = await a_plane(places=1)
    runs = [await plane.create() for _ in range(3)]
    for run in runs:
        await plane.until(run, RunPhase.QUEUED)
    await plane.runs.cancel(plane.project, runs[0].id)
    await plane.until(runs[0])
    assert (await plane.step(runs[2])).parked
    phases = [(await plane.stores.runs.get(run.id)).phase for run in runs[1:]]
    assert phases == [RunPhase.PREPARING, RunPhase.QUEUED]


async def test_submitting_is_tried_again_after_a_look_and_never_doubles() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.SUBMITTING)
    submit, calls = plane.rayjobs.submit, 0

    async def lost(submission: object) -> None:
        nonlocal calls
        calls += 1
        await submit(submission)  # type: ignore[arg-type] (a submission)
        raise ClusterUnreachableError("the answer was lost")

    plane.rayjobs.submit = lost
    waits = (await plane.step(run)).run
    assert (waits.phase, waits.waiting_for) == (RunPhase.SUBMITTING, "the cluster: the answer was lost")
    assert (await plane.until(run, RunPhase.STARTING)).phase is RunPhase.STARTING
    assert (calls, list(plane.rayjobs.jobs)) == (1, [run.submission_id])


async def test_a_head_that_is_new_when_it_answers_again_gets_the_packages_again() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.SUBMITTING)
    plane.rayjobs.unreachable = True
    await plane.step(run)
    plane.rayjobs.restart()
    plane.rayjobs.unreachable = False
    await plane.until(run, RunPhase.STARTING)
    assert plane.rayjobs.packages == {"runner.zip", f"{run.commit}.zip"}


async def test_a_package_that_waited_long_is_brought_again() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.SUBMITTING)
    plane.rayjobs.packages.clear()
    plane.clock.move(steps.PINNED_FOR.total_seconds() + 1)
    await plane.step(run)
    assert plane.rayjobs.packages == {"runner.zip", f"{run.commit}.zip"}


@pytest.mark.parametrize("phase", [RunPhase.PREPARING, RunPhase.SUBMITTING])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceNotFoundError("the commit is gone"), FailureReason.SOURCE_NOT_FOUND),
        (SourceTooLargeError("120 MiB"), FailureReason.SOURCE_TOO_LARGE),
    ],
)
async def test_a_source_that_cannot_be_packed_says_why_whenever_that_is_found(
    phase: RunPhase, error: SourceNotFoundError | SourceTooLargeError, reason: FailureReason
) -> None:
    plane = await a_plane()
    run = await in_phase(plane, phase)
    plane.packages.error = error
    done = await plane.until(run)
    assert (done.status, done.reason, done.reason_detail) == (RunStatus.FAILED, reason, error.detail)
    assert plane.rayjobs.jobs == {}


async def test_a_run_tells_the_warnings_of_its_package_in_its_history() -> None:
    plane = await a_plane()
    plane.packages.warnings = ("one thing", "another")
    run = await in_phase(plane, RunPhase.SUBMITTING)
    events = await plane.stores.runs.events(run.id)
    assert (run.warnings, events[-1].detail) == (("one thing", "another"), "one thing; another")


async def test_an_attempt_remembers_the_cluster_that_it_was_made_for() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.SUBMITTING)
    assert [attempt.ray_session for attempt in run.attempts] == [(await plane.rayjobs.info()).session]


async def test_both_packages_are_there_before_the_job() -> None:
    plane = await a_plane()
    run = await in_phase(plane, RunPhase.SUBMITTING)
    assert isinstance(await plane.packages.runner(), Package)
    assert set(plane.rayjobs.uploads) == {"runner.zip", f"{run.commit}.zip"}
