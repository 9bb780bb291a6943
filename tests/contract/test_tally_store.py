"""What every `TallyStore` counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, a_claim, a_counter, a_project, a_run, a_started, an_event, new
from msgspec.structs import replace
from stores import Stores, add_claimed

from daftray.domain.errors import StaleClaimError
from daftray.domain.metrics import UsageSummary
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunPhase, RunStatus
from daftray.domain.tally import EndedRuns, LiveRuns, ProjectUsage, Silence, Tallies
from daftray.domain.workspace import Workspace

USED = UsageSummary(requests=2, tokens_in=10, tokens_out=5, cpu_seconds=1.5, cost_at_least=0.25)


def ended(run: Run, status: RunStatus = RunStatus.SUCCEEDED, **fields: object) -> Run:
    return replace(run, status=status, phase=RunPhase.DONE, completed_at=NOW, **fields)


async def end(stores: Stores, run: Run) -> None:
    await stores.runs.save(run, [an_event()], a_claim())


async def test_nothing_is_counted_where_nothing_was(stores: Stores) -> None:
    assert await stores.tallies.read() == Tallies(usage=(ProjectUsage(project="demo"),))


async def test_projects_of_one_name_in_two_workspaces_are_told_apart(stores: Stores) -> None:
    await stores.workspaces.add(Workspace(id="wsp_1", name="team", created_at=NOW))
    await stores.projects.add(a_project(workspace="wsp_1"))
    await add_claimed(stores, a_claim())
    tallies = await stores.tallies.read()
    assert tallies.usage == (ProjectUsage(project="demo"), ProjectUsage(project="team/demo"))
    assert [one.project for one in tallies.live] == ["demo"]


async def test_runs_are_counted_by_how_they_ended_once_each(stores: Stores) -> None:
    for _ in range(2):
        run = await add_claimed(stores, a_claim())
        await end(stores, ended(run))
        await end(stores, ended(run))
    run = await add_claimed(stores, a_claim())
    await end(stores, ended(run, RunStatus.FAILED, reason=FailureReason.KILLED))
    await add_claimed(stores, a_claim())
    assert (await stores.tallies.read()).ended == (
        EndedRuns(project="demo", status=RunStatus.FAILED, reason=FailureReason.KILLED, count=1),
        EndedRuns(project="demo", status=RunStatus.SUCCEEDED, reason=None, count=2),
    )


async def test_a_run_whose_end_was_not_saved_is_not_counted(stores: Stores) -> None:
    run = await add_claimed(stores, a_claim())
    await stores.runs.request_cancel(run.id)
    with pytest.raises(StaleClaimError):
        await end(stores, ended(run))
    assert (await stores.tallies.read()).ended == ()


async def test_runs_that_go_on_are_counted_by_phase_with_the_oldest(stores: Stores) -> None:
    for seconds in (5, 30, 10):
        since = stores.clock.now() - timedelta(seconds=seconds)
        await stores.runs.add(new(a_run(phase=RunPhase.QUEUED, phase_since=since)))
    await stores.runs.add(new(a_run(phase_since=stores.clock.now() + timedelta(seconds=5))))
    assert (await stores.tallies.read()).live == (
        LiveRuns(project="demo", phase=RunPhase.PINNING, count=1, oldest_s=0),
        LiveRuns(project="demo", phase=RunPhase.QUEUED, count=3, oldest_s=30),
    )


async def test_the_run_of_which_nothing_was_heard_for_longest_counts(stores: Stores) -> None:
    since = stores.clock.now()
    for quiet_since, attempt in ((40, 1), (10, 1), (0, 2)):
        run = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING, phase_since=since, attempt=attempt)
        await stores.runs.add(new(run))
        await stores.reports.started(run.id, a_started(attempt=attempt))
        stores.clock.set(since + timedelta(seconds=60 - quiet_since))
        await stores.reports.count(run.id, attempt, [a_counter()])
    await stores.runs.add(new(a_run(phase=RunPhase.QUEUED, phase_since=since)))
    stores.clock.set(since + timedelta(seconds=60))
    assert (await stores.tallies.read()).silent == (Silence(project="demo", longest_s=40),)


async def test_usage_only_grows_while_runs_go_on_end_and_are_forgotten(stores: Stores) -> None:
    run = await add_claimed(stores, a_claim())
    await stores.runs.save_usage(run.id, USED)
    once = ProjectUsage(project="demo", requests=2, tokens_in=10, tokens_out=5, cpu_seconds=1.5, cost=0.25)
    assert (await stores.tallies.read()).usage == (once,)
    await end(stores, ended(run))
    assert (await stores.tallies.read()).usage == (once,)
    other = await add_claimed(stores, a_claim())
    await stores.runs.save_usage(other.id, UsageSummary(requests=1))
    await end(stores, ended(other))
    assert (await stores.tallies.read()).usage == (replace(once, requests=3),)
    stores.clock.move(timedelta(days=400).total_seconds())
    gone, _ = await stores.retention.remove_runs(timedelta(days=1), blobs=lambda run_id: run_id, limit=9)
    assert gone == 2
    assert (await stores.tallies.read()).usage == (replace(once, requests=3),)


async def test_durations_of_phases_fall_into_their_buckets(stores: Stores) -> None:
    for pinning, running in ((0.05, 2.5), (0.1, 2.6), (0.11, 1e6)):
        run = await add_claimed(stores, a_claim())
        await end(stores, ended(run, timings={"pinning": pinning, "running": running}))
    first, second = (await stores.tallies.read()).phases
    assert (first.phase, second.phase) == (RunPhase.PINNING, RunPhase.RUNNING)
    assert first.counts[:3] == (2, 1, 0)
    assert second.counts == (0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert abs(first.seconds - 0.26) < 1e-9


async def test_a_projects_counts_go_with_it_and_follow_its_name(stores: Stores) -> None:
    project = a_project(name="other")
    await stores.projects.add(project)
    run = await add_claimed(stores, a_claim(), project=project.id)
    await stores.runs.save_usage(run.id, USED)
    await end(stores, ended(run))
    await stores.projects.save(replace(project, name="a new name"))
    tallies = await stores.tallies.read()
    assert [one.project for one in tallies.ended] == ["a new name"]
    assert [(one.project, one.requests) for one in tallies.usage] == [("a new name", 2), ("demo", 0)]
    await stores.projects.delete(project.id)
    tallies = await stores.tallies.read()
    assert (tallies.ended, tallies.usage) == ((), (ProjectUsage(project="demo"),))
