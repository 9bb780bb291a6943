"""Runs whose steps are cut off: an answer that is lost, a save that never comes, a cancel in between."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from factories import a_finished, a_started
from fake_ray import FakeRayJobs
from hypothesis import given, settings
from hypothesis import strategies as st
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, JobSubmission
from daftray.domain.errors import ClusterUnreachableError
from daftray.domain.run import Run
from daftray.domain.spec import Retries
from daftray.domain.status import TRANSITIONS, FailureReason, RunPhase, RunStatus
from daftray.runs.reconciler import STEPS

GOES_ON = (JobStatus.PENDING, JobStatus.RUNNING)


class LossyRayJobs(FakeRayJobs):
    """A cluster whose answer to a submission can get lost, and that counts what got through.

    It counts for each head: a job of a head that is gone does not run beside its successor's. The job of each
    attempt goes by a script of its own; of further ones, by the last.
    """

    def __init__(self, *scripts: tuple[JobStatus, ...]) -> None:
        super().__init__(scripts[0])
        self.scripts = scripts
        self.loses = False
        self.got_through: list[tuple[str, str]] = []
        self.side_by_side: list[str] = []

    async def submit(self, submission: JobSubmission) -> None:
        number = int(submission.submission_id.rpartition("-")[2])
        self.script = self.scripts[min(number, len(self.scripts)) - 1]
        before = [name for name, fake in self.jobs.items() if not fake.job.status.terminal]
        await super().submit(submission)
        self.side_by_side += before
        self.got_through.append(((await self.info()).session, submission.submission_id))
        if self.loses:
            raise ClusterUnreachableError("the answer was lost")


async def a_lossy_plane(*scripts: tuple[JobStatus, ...]) -> tuple[ControlPlane, LossyRayJobs]:
    rayjobs = LossyRayJobs(*(scripts or (GOES_ON,)))
    return await ControlPlane(rayjobs=rayjobs).open(), rayjobs


async def submitted_unseen(plane: ControlPlane, rayjobs: LossyRayJobs) -> Run:
    """Return a run whose job is on the cluster, which daftray does not know yet."""
    run = await plane.until(await plane.create(), RunPhase.SUBMITTING)
    rayjobs.loses = True
    waits = (await plane.step(run)).run
    assert (waits.phase, list(rayjobs.jobs)) == (RunPhase.SUBMITTING, [run.submission_id])
    return waits


@pytest.mark.parametrize("looks", [1, 2])
async def test_a_cancel_stops_a_job_that_was_submitted_unseen(looks: int) -> None:
    plane, rayjobs = await a_lossy_plane()
    run = await submitted_unseen(plane, rayjobs)
    for _ in range(looks):
        await rayjobs.get(run.submission_id)  # it pends, then it runs
    await plane.runs.cancel(plane.project, run.id)
    done = await plane.until(run)
    assert (done.status, done.reason_detail) == (RunStatus.CANCELLED, "Cancelled by request.")
    assert rayjobs.kills == [run.submission_id]
    assert rayjobs.jobs[run.submission_id].job.status.terminal


async def test_a_cancel_just_before_the_submission_submits_nothing() -> None:
    plane, rayjobs = await a_lossy_plane()
    run = await plane.until(await plane.create(), RunPhase.SUBMITTING)
    await plane.runs.cancel(plane.project, run.id)
    assert (await plane.until(run)).status is RunStatus.CANCELLED
    assert rayjobs.got_through == []


PENDING = st.lists(st.just(JobStatus.PENDING), max_size=3)
RUNNING = st.lists(st.just(JobStatus.RUNNING), max_size=3)
ENDS = st.sampled_from([status for status in JobStatus if status.terminal])
SCRIPTS = st.builds(lambda *parts: (*parts[0], *parts[1], parts[2]), PENDING, RUNNING, ENDS)
EVENTS = ["step", "crash", "cancel", "started", "finished", "late"]
TROUBLE = ["lose", "cut", "heal", "restart", "wait", "despair"]
# A run takes about eight steps: by starting anywhere on its way, cancels and cuts come in each phase.
ON_ITS_WAY = st.integers(0, 8).map(lambda steps: ["step"] * steps)
SPELLS = st.builds(
    lambda way, spells: [*way, *spells], ON_ITS_WAY, st.lists(st.sampled_from(EVENTS + TROUBLE), max_size=25)
)


AGAIN = Retries(max=3, on=tuple(FailureReason), backoff=0)


@settings(max_examples=200)
@given(st.lists(SCRIPTS, min_size=1, max_size=4), SPELLS, st.sampled_from([None, AGAIN]))
def test_wherever_a_run_is_cut_off_it_ends_once_and_leaves_no_job_behind(
    scripts: list[tuple[JobStatus, ...]], spells: list[str], retries: Retries | None
) -> None:
    asyncio.run(endure(scripts, spells, retries))


async def endure(scripts: list[tuple[JobStatus, ...]], spells: list[str], retries: Retries | None) -> None:
    plane, rayjobs = await a_lossy_plane(*scripts)
    run = await plane.create(retries=retries)
    cancelled = False
    for spell in spells:
        now = await plane.stores.runs.get(run.id)
        cancelled = cancelled or (spell == "cancel" and now.phase is not RunPhase.DONE)
        await befall(plane, rayjobs, now, spell)
    rayjobs.unreachable = rayjobs.loses = False
    done = await plane.until(run)
    events = await plane.stores.runs.events(run.id)
    assert all(after.phase in TRANSITIONS[before.phase] for before, after in itertools.pairwise(events))
    assert [event.to for event in events if event.to.terminal] == [done.status]
    assert (done.status is RunStatus.CANCELLED) == cancelled
    assert {one.number for one in done.attempts} <= set(range(1, done.attempt + 1))
    assert all(one.status.terminal and one.ended_at for one in done.attempts)
    assert all(one.status is RunStatus.FAILED for one in done.attempts if one.number < done.attempt)
    if done.status is RunStatus.FAILED and retries is not None:
        assert done.attempt > retries.max, "all of its attempts were made"
    assert len(rayjobs.got_through) == len(set(rayjobs.got_through))
    assert rayjobs.side_by_side == [], "an attempt began while the job of an earlier one went on"
    # Where daftray stopped waiting for a job, the run says so; and the janitor ends a job that comes back.
    said = "despair" in spells or "stopped asking" in (done.reason_detail or "")
    assert said or all(fake.job.status.terminal for fake in rayjobs.jobs.values())


async def befall(plane: ControlPlane, rayjobs: LossyRayJobs, run: Run, spell: str) -> None:
    if spell == "cancel":
        await plane.runs.cancel(plane.project, run.id)
    elif spell == "started":
        await plane.stores.reports.started(run.id, a_started(attempt=run.attempt))
    elif spell in {"finished", "late"}:
        attempt = run.attempt if spell == "finished" else max(1, run.attempt - 1)
        await plane.stores.reports.finished(run.id, a_finished(attempt=attempt), None)
    elif spell == "restart":
        rayjobs.restart()
    elif spell in {"wait", "despair"}:
        # The latter is longer than a silent cluster is waited for.
        plane.clock.move(20 if spell == "wait" else 700)
    elif spell in {"cut", "heal"}:
        rayjobs.unreachable = spell == "cut"
    elif spell == "lose":
        rayjobs.loses = not rayjobs.loses
    elif run.phase is RunPhase.DONE:
        return
    elif spell == "crash":
        await STEPS[run.phase](run, plane.context)  # and nobody saves what became of it
    else:
        await plane.step(run)
