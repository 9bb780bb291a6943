"""A run walks its phases: step by step with a scripted cluster and a clock that stands."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from factories import COMMIT, a_finished, a_started, an_exception
from fake_ray import FAILS, FakeRayJobs
from hypothesis import given, settings
from hypothesis import strategies as st
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, JobSubmission
from daftray.domain.errors import (
    InvalidInputError,
    SourceDeniedError,
    SourceError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTooLargeError,
    SourceUnavailableError,
)
from daftray.domain.project import GitRemote, ProjectSource
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, Environment, FileEntrypoint, GitSource, Retries, Source
from daftray.domain.status import TRANSITIONS, FailureReason, RunPhase, RunStatus
from daftray.runs import steps
from daftray.runs.retrying import FREE_RETRIES

RUNS_ON = (JobStatus.PENDING, JobStatus.RUNNING)


async def test_a_run_that_succeeds_walks_every_phase_once() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    await plane.stores.reports.started(run.id, a_started())
    done = await plane.until(run)
    assert (done.status, done.exit_code, done.commit) == (RunStatus.SUCCEEDED, 0, COMMIT)
    phases = [event.phase.value for event in await plane.stores.runs.events(run.id)]
    assert phases == [
        "pinning", "queued", "preparing", "submitting", "starting", "running", "harvesting", "done",
    ]  # fmt: skip
    assert list(plane.rayjobs.jobs) == [f"{run.id}-1"]
    assert set(done.timings) == set(phases) - {"done"}


async def test_dependencies_make_installing_a_phase() -> None:
    plane = await ControlPlane().open()
    run = await plane.create(environment=Environment(dependencies=["six"]))
    assert (await plane.until(run, RunPhase.INSTALLING)).phase is RunPhase.INSTALLING
    assert (await plane.until(run, RunPhase.STARTING)).phase is RunPhase.STARTING


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceNotFoundError("no branch x"), FailureReason.SOURCE_NOT_FOUND),
        (SourceDeniedError("no"), FailureReason.SOURCE_DENIED),
        (SourceRefusedError("no"), FailureReason.SOURCE_REFUSED),
        (SourceError("a patch that does not apply"), FailureReason.SOURCE_REFUSED),
    ],
)
async def test_a_source_that_cannot_be_pinned_says_why(error: SourceError, reason: FailureReason) -> None:
    plane = await ControlPlane().open()
    plane.mirrors.error = error
    done = await plane.until(await plane.create())
    assert (done.status, done.reason, done.reason_detail) == (RunStatus.FAILED, reason, error.detail)
    assert plane.rayjobs.jobs == {}


async def test_a_remote_that_does_not_answer_is_tried_again_and_not_for_ever() -> None:
    plane = await ControlPlane().open()
    plane.mirrors.error = SourceUnavailableError("no route")
    run = await plane.create()
    waiting = (await plane.step(run)).run
    assert (waiting.phase, waiting.waiting_for) == (RunPhase.PINNING, "the Git remote: no route")
    plane.clock.move(600)
    done = await plane.until(run)
    assert (done.status, done.reason) == (RunStatus.FAILED, FailureReason.SOURCE_NOT_FOUND)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (GitSource(), ("main", None)),
        (GitSource(ref="v1"), ("v1", None)),
        (GitSource(hash="abc1234"), (None, "abc1234")),
        (GitSource(remote="https://git.example/other.git"), (None, None)),
    ],
)
async def test_what_is_pinned_is_what_was_named(
    asked: GitSource, expected: tuple[str | None, str | None]
) -> None:
    plane = await ControlPlane().open()
    await plane.step(await plane.create(source=Source(git=asked)))
    assert plane.mirrors.asked[0][1:] == expected


async def test_a_credential_opens_the_projects_own_remote_and_no_other() -> None:
    plane = ControlPlane()
    own = GitRemote(remote="https://git.example/demo.git", credential="TOKEN")
    plane.project = plane.project.__class__(
        **{name: getattr(plane.project, name) for name in ("id", "workspace", "name", "created_at")},
        source=ProjectSource(git=own),
    )
    await plane.open()
    missing = await plane.until(await plane.create())
    assert (missing.reason, "TOKEN" in (missing.reason_detail or "")) == (FailureReason.SOURCE_DENIED, True)
    await plane.secrets.set("prj_demo", "TOKEN", "a-token")
    await plane.step(await plane.create())
    elsewhere = Source(git=GitSource(remote="https://git.example/other.git", ref="main"))
    await plane.step(await plane.create(source=elsewhere))
    assert [asked[0].credential for asked in plane.mirrors.asked] == ["a-token", None]


async def test_places_are_given_in_order_of_creation() -> None:
    plane = await ControlPlane(places=1, rayjobs=FakeRayJobs(RUNS_ON)).open()
    first, second, third = [await plane.create() for _ in range(3)]
    for run in (third, second, first):
        await plane.until(run, RunPhase.QUEUED)
    parked = await plane.step(third)
    assert (parked.parked, parked.run.phase) == (True, RunPhase.QUEUED)
    await plane.until(first, RunPhase.STARTING)
    assert (await plane.step(second)).run.waiting_for == "a place on the cluster"
    plane.rayjobs.end(f"{first.id}-1", JobStatus.SUCCEEDED)
    await plane.until(first)
    assert (await plane.step(third)).parked
    assert (await plane.stores.runs.get(second.id)).phase is RunPhase.PREPARING


async def test_another_python_is_refused_with_what_there_is() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(python_version="3.12.1")).open()
    done = await plane.until(await plane.create(environment=Environment(python_version="3.9")))
    assert done.reason is FailureReason.PYTHON_UNAVAILABLE
    assert "3.12" in (done.reason_detail or "")


async def test_a_package_that_is_too_large_fails_the_run() -> None:
    plane = await ControlPlane().open()
    plane.packages.error = SourceTooLargeError("120 MiB")
    assert (await plane.until(await plane.create())).reason is FailureReason.SOURCE_TOO_LARGE


async def test_what_is_odd_about_a_source_is_kept_as_a_warning() -> None:
    plane = await ControlPlane().open()
    plane.packages.warnings = ("3 files are Git LFS pointers",)
    done = await plane.until(await plane.create())
    assert done.warnings == ("3 files are Git LFS pointers",)


async def test_a_cluster_that_does_not_answer_is_waited_for_and_nothing_is_sent_twice() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    await plane.until(run, RunPhase.PREPARING)
    plane.rayjobs.unreachable = True
    waiting = (await plane.step(run)).run
    assert (waiting.phase, (waiting.waiting_for or "").startswith("the cluster")) == (
        RunPhase.PREPARING,
        True,
    )
    plane.rayjobs.unreachable = False
    await plane.until(run, RunPhase.STARTING)
    assert len(plane.rayjobs.jobs) == 1


async def test_a_cluster_that_refuses_fails_the_run() -> None:
    plane = await ControlPlane().open()
    plane.rayjobs.refuses = "the token is wrong"
    done = await plane.until(await plane.create())
    assert (done.reason, done.reason_detail) == (FailureReason.CLUSTER_UNAVAILABLE, "the token is wrong")


async def test_a_submission_that_got_through_unseen_is_adopted() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    await plane.until(run, RunPhase.SUBMITTING)
    before = await plane.stores.runs.get(run.id)
    await plane.step(run)
    submitted = plane.rayjobs.jobs[f"{run.id}-1"].submission
    # As after a crash between the submission and the save: the same step, once more.
    again = await steps.submit(before, plane.context)
    assert again.run.phase is RunPhase.STARTING
    assert plane.rayjobs.jobs[f"{run.id}-1"].submission is submitted


async def test_the_runners_word_ends_a_failed_run() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(FAILS)).open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    finished = a_finished(outcome="raised", exit_code=1, exception=an_exception(message="bad row"))
    await plane.stores.reports.finished(run.id, finished, None)
    done = await plane.until(run)
    assert (done.reason, done.reason_detail) == (FailureReason.USER_ERROR, "ValueError: bad row")


async def test_a_head_that_was_started_anew_has_lost_the_run() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(RUNS_ON)).open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    plane.rayjobs.restart()
    assert (await plane.until(run)).reason is FailureReason.CLUSTER_LOST


async def test_a_job_that_pends_is_killed_with_its_supervisor_when_stop_does_not_help() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs((JobStatus.PENDING,))).open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    await plane.runs.cancel(plane.project, run.id)
    done = await plane.until(run)
    assert done.status is RunStatus.CANCELLED
    assert plane.rayjobs.kills == [f"{run.id}-1"]


async def test_a_cancel_during_harvest_wins_over_success() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    await plane.until(run, RunPhase.HARVESTING)
    await plane.runs.cancel(plane.project, run.id)
    assert (await plane.until(run)).status is RunStatus.CANCELLED


async def test_a_cancel_that_the_cluster_does_not_hear_ends_all_the_same_and_says_so() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(RUNS_ON)).open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    plane.rayjobs.unreachable = True
    await plane.runs.cancel(plane.project, run.id)
    done = await plane.until(run)
    assert (done.status, "stopped asking" in (done.reason_detail or "")) == (RunStatus.CANCELLED, True)


STATUSES = st.lists(st.sampled_from(list(JobStatus)), min_size=1, max_size=6)
EVENTS = st.lists(
    st.sampled_from(
        [
            "cancel",
            "started",
            "finished",
            "cut",
            "heal",
            "restart",
            "no remote",
            "wait",
            "dropped",
            *["step"] * 5,
        ]
    ),
    max_size=40,
)


RETRIES = st.one_of(
    st.none(), st.builds(Retries, max=st.integers(1, 3), on=st.none() | st.just((FailureReason.USER_ERROR,)))
)


@settings(max_examples=300)
@given(STATUSES, EVENTS, RETRIES)
def test_whatever_happens_a_run_ends_once_along_the_edges_and_no_attempt_is_submitted_twice(
    script: list[JobStatus], events: list[str], retries: Retries | None
) -> None:
    asyncio.run(walk(script, events, retries))


class Counted(FakeRayJobs):
    """Notes each job that was made, with the cluster's session: a head that starts anew has no jobs."""

    def __init__(self, script: list[JobStatus]) -> None:
        super().__init__(script)
        self.made: list[tuple[str, str]] = []

    async def submit(self, submission: JobSubmission) -> None:
        await super().submit(submission)
        self.made.append((submission.submission_id, (await self.info()).session))


async def attempt_of(plane: ControlPlane, run: Run) -> int:
    return (await plane.stores.runs.get(run.id)).attempt


async def happen(event: str, plane: ControlPlane, run: Run) -> None:
    if event == "cancel":
        await plane.runs.cancel(plane.project, run.id)
    elif event == "started":
        await plane.stores.reports.started(run.id, a_started(attempt=await attempt_of(plane, run)))
    elif event == "finished":
        report = a_finished(outcome="raised", exit_code=1, attempt=await attempt_of(plane, run))
        await plane.stores.reports.finished(run.id, report, None)
    elif event == "restart":
        plane.rayjobs.restart()
    elif event in {"cut", "heal"}:
        plane.rayjobs.unreachable = event == "cut"
    elif event == "no remote":
        plane.mirrors.error = None if plane.mirrors.error else SourceUnavailableError("no route")
    elif event == "wait":
        plane.clock.move(20)
    elif event == "dropped":
        await plane.act(run)
    else:
        await plane.step(run)


async def walk(script: list[JobStatus], events: list[str], retries: Retries | None) -> None:
    rayjobs = Counted([*script, JobStatus.SUCCEEDED])
    plane = await ControlPlane(rayjobs=rayjobs).open()
    run = await plane.create(retries=retries)
    cancelled = False
    for event in events:
        if (await plane.stores.runs.get(run.id)).phase is RunPhase.DONE:
            break
        await happen(event, plane, run)
        cancelled = cancelled or event == "cancel"
    plane.rayjobs.unreachable, plane.mirrors.error = False, None
    done = await plane.until(run)
    assert done.status.terminal
    assert not cancelled or (done.status, done.reason) == (RunStatus.CANCELLED, None)
    assert len(set(rayjobs.made)) == len(rayjobs.made)
    assert {submission_id for submission_id, _ in rayjobs.made} <= {
        run.submission_of(number) for number in range(1, done.attempt + 1)
    }
    assert done.attempt <= 1 + FREE_RETRIES + (retries.max if retries else 0)
    assert [one.number for one in done.attempts] == list(range(1, len(done.attempts) + 1))
    history = await plane.stores.runs.events(run.id)
    phases = [event.phase for event in history]
    assert all(after in TRANSITIONS[before] for before, after in itertools.pairwise(phases))
    assert [event.to.terminal for event in history] == [*[False] * (len(history) - 1), True]
    assert [event.from_ for event in history[1:]] == [event.to for event in history[:-1]]
    with pytest.raises(ValueError, match="cannot go"):
        done.advance(RunPhase.RUNNING, plane.clock.now())


@pytest.mark.parametrize("path", ["../outside.py", "/etc/passwd", "a/../../b.py"])
async def test_an_entrypoint_outside_of_the_repository_is_refused(path: str) -> None:
    plane = await ControlPlane().open()
    with pytest.raises(InvalidInputError) as error:
        await plane.create(entrypoint=Entrypoint(file=FileEntrypoint(file_path=path)))
    assert [issue.path for issue in error.value.issues] == ["entrypoint.file.file_path"]
