"""Ray's records of jobs go once they are harvested, and jobs that outlive their runs are ended."""

from __future__ import annotations

import pytest
from ended_runs import DAY, a_live_run, an_ended_run
from factories import NOW
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from retention_world import World

from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import ClusterRefusedError, ClusterUnreachableError
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunStatus
from daftray.retention.janitor import MOST_DELETED, MOST_ENDED
from daftray.retention.tally import Tally

MINUTE = DAY / (24 * 60)


async def submit(
    world: World, run: Run, attempt: int, status: JobStatus, metadata: dict[str, str] | None = None
) -> str:
    """Let Ray have a job of a run, in a state."""
    name = run.submission_of(attempt)
    named = {"daftray_run_id": run.id} if metadata is None else metadata
    world.rayjobs.script = (status,)
    await world.rayjobs.submit(
        JobSubmission(submission_id=name, entrypoint="true", runtime_env={}, metadata=named)
    )
    await world.rayjobs.get(name)
    return name


async def tidy(world: World, *, dry_run: bool = False) -> list[tuple[str, int]]:
    tally = Tally()
    await world.janitor().tidy(tally, dry_run=dry_run)
    return [(one.what, one.count) for one in tally.removed()]


async def test_the_record_of_a_harvested_job_goes_after_a_grace() -> None:
    world = await World().open()
    old, fresh = an_ended_run(NOW - 11 * MINUTE), an_ended_run(NOW - 9 * MINUTE)
    await world.add(old, fresh)
    gone, stays = [await submit(world, run, 1, JobStatus.SUCCEEDED) for run in (old, fresh)]
    assert await tidy(world, dry_run=True) == [("Ray's records of jobs", 1)]
    assert world.rayjobs.deletes == []
    assert await tidy(world) == [("Ray's records of jobs", 1)]
    assert (world.rayjobs.deletes, list(world.rayjobs.jobs)) == ([gone], [stays])
    assert await tidy(world) == []


async def test_the_record_of_an_earlier_attempt_goes_too() -> None:
    world = await World().open()
    first = Attempt(number=1, submission_id="s-1", status=RunStatus.FAILED, ended_at=NOW - DAY)
    run = a_live_run(NOW, attempt=2).with_attempt(first)
    await world.add(run)
    gone, current = [await submit(world, run, number, JobStatus.FAILED) for number in (1, 2)]
    await tidy(world)
    assert (world.rayjobs.deletes, list(world.rayjobs.jobs)) == ([gone], [current])


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.RUNNING])
async def test_a_job_that_outlives_its_run_is_ended(
    status: JobStatus, caplog: pytest.LogCaptureFixture
) -> None:
    world = await World().open()
    run = an_ended_run(NOW, status=RunStatus.FAILED)
    await world.add(run)
    name = await submit(world, run, 1, status)
    world.rayjobs.leave(name, "actor a", stubborn=True)
    assert await tidy(world, dry_run=True) == [("Ray jobs", 1)]
    assert world.rayjobs.sweeps == []
    assert await tidy(world) == [("Ray jobs", 1)]
    assert (world.rayjobs.sweeps, world.rayjobs.kills) == ([(name, True)], [name])
    assert [record.__dict__.get("run_id") for record in caplog.records] == [run.id, run.id]
    assert "a job outlived its run" in caplog.text
    assert "left on the cluster: actor a" in caplog.text
    assert await tidy(world) == []


async def test_a_job_of_an_attempt_that_was_given_up_is_ended_beside_the_next_one() -> None:
    world = await World().open()
    run = a_live_run(NOW, attempt=2)
    await world.add(run)
    given_up, current = [await submit(world, run, number, JobStatus.RUNNING) for number in (1, 2)]
    await tidy(world)
    assert world.rayjobs.kills == [given_up]
    assert (await world.rayjobs.get(current)).status is JobStatus.RUNNING


async def test_jobs_of_others_are_left_alone() -> None:
    world = await World().open()
    ended, elsewhere = an_ended_run(NOW - DAY), an_ended_run(NOW - DAY, cluster="other")
    unknown = an_ended_run(NOW - DAY)
    await world.add(ended, elsewhere)
    names = [
        await submit(world, elsewhere, 1, JobStatus.RUNNING),
        await submit(world, unknown, 1, JobStatus.RUNNING),
        await submit(world, ended, 2, JobStatus.RUNNING),
        await submit(world, ended, 1, JobStatus.RUNNING, metadata={}),
    ]
    for name in ("raysubmit_1", f"{ended.id}-0", f"x{ended.id}-1", f"{ended.id}-1-1", f"{ended.id}-01"):
        await world.rayjobs.submit(
            JobSubmission(
                submission_id=name, entrypoint="true", runtime_env={}, metadata={"daftray_run_id": ended.id}
            )
        )
        names.append(name)
    assert await tidy(world) == []
    assert list(world.rayjobs.jobs) == names
    assert (world.rayjobs.stops, world.rayjobs.sweeps, world.rayjobs.deletes) == ([], [], [])


async def test_a_pass_has_an_end() -> None:
    world = await World().open()
    runs = [an_ended_run(NOW - DAY) for _ in range(MOST_DELETED + MOST_ENDED + 2)]
    await world.add(*runs)
    for number, run in enumerate(runs):
        await submit(world, run, 1, JobStatus.RUNNING if number <= MOST_ENDED else JobStatus.FAILED)
    # What was ended is deleted by a later pass.
    assert await tidy(world) == [("Ray jobs", MOST_ENDED), ("Ray's records of jobs", MOST_DELETED)]
    assert await tidy(world) == [("Ray jobs", 1), ("Ray's records of jobs", MOST_ENDED + 1)]


async def test_one_job_that_cannot_go_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await World().open()
    runs = [an_ended_run(NOW - DAY) for _ in range(4)]
    await world.add(*runs)
    names = [await submit(world, run, 1, JobStatus.FAILED) for run in runs[:2]]
    names += [await submit(world, run, 1, JobStatus.RUNNING) for run in runs[2:]]
    delete, sweep = world.rayjobs.delete, world.rayjobs.sweep

    async def refuse_first(submission_id: str) -> None:
        if submission_id == names[0]:
            raise ClusterRefusedError
        await delete(submission_id)

    async def refuse_third(submission_id: str, *, processes: bool = True) -> tuple[str, ...]:
        if submission_id == names[2]:
            raise ClusterUnreachableError
        return await sweep(submission_id, processes=processes)

    monkeypatch.setattr(world.rayjobs, "delete", refuse_first)
    monkeypatch.setattr(world.rayjobs, "sweep", refuse_third)
    assert await tidy(world) == [("Ray jobs", 1), ("Ray's records of jobs", 1)]
    assert list(world.rayjobs.jobs) == [names[0], names[2], names[3]]


async def test_a_job_that_ends_while_it_is_looked_at_is_no_outliving_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await World().open()
    run = an_ended_run(NOW)
    await world.add(run)
    name = await submit(world, run, 1, JobStatus.RUNNING)
    world.rayjobs.end(name, JobStatus.SUCCEEDED)  # its record says so at the next look
    assert await tidy(world) == []
    assert (world.rayjobs.sweeps, caplog.records) == ([], [])


async def test_a_cluster_that_is_away_is_told_of() -> None:
    world = await World().open()
    world.rayjobs.unreachable = True
    with pytest.raises(ClusterUnreachableError):
        await tidy(world)


@given(
    st.lists(
        st.tuples(
            st.none() | st.sampled_from([status for status in RunStatus if status.terminal]),
            st.integers(1, 3),
            st.lists(st.sampled_from(JobStatus), min_size=3, max_size=3),
            st.integers(0, 20),
        ),
        max_size=8,
    )
)
async def test_a_live_runs_current_job_is_never_touched(
    cases: list[tuple[RunStatus | None, int, list[JobStatus], int]],
) -> None:
    world = await World().open()
    current: dict[str, Job] = {}
    for ends, attempt, statuses, minutes in cases:
        at = NOW - minutes * MINUTE
        run = (
            a_live_run(at, attempt=attempt)
            if ends is None
            else an_ended_run(at, attempt=attempt, status=ends)
        )
        await world.add(run)
        for number in range(1, attempt + 1):
            name = await submit(world, run, number, statuses[number - 1])
            if ends is None and number == attempt:
                current[name] = replace(world.rayjobs.jobs[name].job)
    await tidy(world)
    for name, job in current.items():
        assert world.rayjobs.jobs[name].job == job
    touched = {*world.rayjobs.stops, *world.rayjobs.deletes, *(name for name, _ in world.rayjobs.sweeps)}
    assert not touched & current.keys()
    goes_on = {name for name, fake in world.rayjobs.jobs.items() if not fake.job.status.terminal}
    assert goes_on <= current.keys()
