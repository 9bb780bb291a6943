"""What every `RunStore` does about the queue: one decision at a time, over what is true at that moment."""

from __future__ import annotations

from collections.abc import Sequence

from factories import a_claim, a_project, a_run, at, new
from msgspec.structs import replace
from stores import Stores

from daftray.domain.ports import Claim
from daftray.domain.queue import ClusterLoad, ClusterQueue, QueuedRun, QueuePlace
from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus

MINE, THEIRS = a_claim("mine", 30), a_claim("theirs", 30)


class Chooser:
    """Chooses the first ``places`` runs that wait; remembers what it saw."""

    def __init__(self, places: int = 100) -> None:
        self.places = places
        self.saw = ClusterQueue()

    def __call__(self, queue: ClusterQueue) -> Sequence[str]:
        self.saw = queue
        return [run.id for run in queue.waiting][: self.places]


async def queued(stores: Stores, seconds: float = 0, **fields: object) -> Run:
    run = a_run(created_at=at(seconds), phase=RunPhase.QUEUED, **fields)
    await stores.runs.add(new(run))
    return run


async def admit(stores: Stores, choose: Chooser, *, by: Claim = MINE, ahead: int = 100) -> list[str]:
    admitted = await stores.runs.admit(by, "local", choose=choose, ahead=ahead)
    return [run.id for run in admitted]


async def test_the_chooser_sees_the_places_and_the_queue(stores: Stores) -> None:
    other = a_project(id="prj_other", name="other", max_running=3)
    await stores.projects.add(other)
    for phase in RunPhase:
        status = RunStatus.FAILED if phase is RunPhase.DONE else RunStatus.PENDING
        await stores.runs.add(new(a_run(phase=phase, status=status)))
        await stores.runs.add(new(a_run(phase=phase, status=status, cluster="far", created_at=at(-1))))
    waiting = await queued(stores, 1, project=other.id, priority=7)
    choose = Chooser(0)
    assert await admit(stores, choose) == []
    saw = choose.saw
    assert (saw.running, saw.starting, saw.limits) == ({"prj_demo": 7}, 4, {other.id: 3})
    assert [run.project for run in saw.waiting] == ["prj_demo", other.id]
    assert saw.waiting[1] == QueuedRun(id=waiting.id, project=other.id, priority=7)


async def test_the_line_of_each_project_is_by_priority_then_age(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    late, early = await queued(stores, 2), await queued(stores, 1)
    urgent = await queued(stores, 3, priority=1)
    idle = await queued(stores, 0, priority=-1)
    far = await queued(stores, 0, project="prj_other")
    choose = Chooser(0)
    await admit(stores, choose)
    assert [run.id for run in choose.saw.waiting] == [urgent.id, early.id, late.id, idle.id, far.id]
    await admit(stores, choose, ahead=2)
    assert [run.id for run in choose.saw.waiting] == [urgent.id, early.id, far.id]


async def test_the_chosen_are_prepared_and_held(stores: Stores) -> None:
    first, second = await queued(stores, 1), await queued(stores, 2)
    stores.clock.set(at(10))
    (admitted,) = await stores.runs.admit(MINE, "local", choose=Chooser(1), ahead=9)
    assert admitted == await stores.runs.get(first.id)
    assert (admitted.phase, admitted.phase_since) == (RunPhase.PREPARING, at(10))
    event = (await stores.runs.events(first.id))[-1]
    assert (event.phase, event.at) == (RunPhase.PREPARING, at(10))
    assert [run.id for run in await stores.runs.claim_due(THEIRS, limit=9)] == [second.id]
    stores.clock.set(at(40))
    assert first.id in [run.id for run in await stores.runs.claim_due(THEIRS, limit=9)]


async def test_who_is_held_cancelled_or_early_does_not_wait(stores: Stores) -> None:
    held, cancelled, early, there = [await queued(stores, second) for second in range(4)]
    stores.clock.set(at(5))
    assert len(await stores.runs.claim_due(MINE, limit=9)) == 4
    later = replace(early, not_before=at(100))
    await stores.runs.save(later, [], MINE)
    for run in (cancelled, early, there):
        await stores.runs.release(run.id, MINE, due_in=at(3600) - at(0))
    await stores.runs.request_cancel(cancelled.id)
    assert await stores.runs.any_queued("local")
    assert await admit(stores, Chooser(), by=THEIRS) == [there.id]
    assert await admit(stores, Chooser(), by=THEIRS) == []
    stores.clock.set(at(100))
    assert await admit(stores, Chooser(), by=THEIRS) == [held.id, early.id], "a claim that ran out is none"
    assert (await stores.runs.get(early.id)).not_before is None


async def test_a_choice_that_does_not_wait_is_left_out(stores: Stores) -> None:
    running = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING)
    await stores.runs.add(new(running))
    admitted = await stores.runs.admit(MINE, "local", choose=lambda _: [running.id, "run_none"], ahead=1)
    assert admitted == []
    assert await stores.runs.get(running.id) == running


async def test_a_choice_of_who_is_held_cancelled_or_early_is_left_out(stores: Stores) -> None:
    """The choice is made of what was true a moment ago."""
    held, cancelled, early, there = [await queued(stores, second) for second in range(4)]
    stores.clock.set(at(5))
    await stores.runs.claim_due(MINE, limit=9)
    await stores.runs.save(replace(early, not_before=at(100)), [], MINE)
    for run in (cancelled, early, there):
        await stores.runs.release(run.id, MINE, due_in=at(3600) - at(0))
    await stores.runs.request_cancel(cancelled.id)
    chosen = [one.id for one in (early, cancelled, there, held)]
    admitted = await stores.runs.admit(THEIRS, "local", choose=lambda _: chosen, ahead=9)
    assert [run.id for run in admitted] == [there.id]
    phases = [(await stores.runs.get(one.id)).phase for one in (held, cancelled, early)]
    assert phases == [RunPhase.QUEUED] * 3


async def test_there_is_a_queue_only_while_somebody_waits(stores: Stores) -> None:
    assert not await stores.runs.any_queued("local")
    run = await queued(stores)
    assert await stores.runs.any_queued("local")
    assert not await stores.runs.any_queued("far")
    await admit(stores, Chooser())
    assert not await stores.runs.any_queued("local")
    assert (await stores.runs.get(run.id)).phase is RunPhase.PREPARING


async def test_a_run_is_told_where_it_stands(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    await stores.runs.add(new(a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING)))
    first, second, third = [await queued(stores, second) for second in (1, 2, 3)]
    urgent = await queued(stores, 4, priority=1)
    await queued(stores, 0, project="prj_other")
    await queued(stores, 0, cluster="far")
    places = [await stores.runs.queue_place(run) for run in (urgent, first, second, third)]
    assert places == [QueuePlace(before=before, waiting=5, taken=1) for before in range(4)]


async def test_a_clusters_load_is_counted_by_project(stores: Stores) -> None:
    other = a_project(id="prj_other", name="other", max_running=3)
    await stores.projects.add(other)
    for phase in RunPhase:
        status = RunStatus.FAILED if phase is RunPhase.DONE else RunStatus.PENDING
        await stores.runs.add(new(a_run(phase=phase, status=status)))
        await stores.runs.add(new(a_run(phase=phase, status=status, cluster="far", created_at=at(-1))))
    await queued(stores, 1, project=other.id, not_before=at(1000))
    await stores.runs.add(new(a_run(phase=RunPhase.RUNNING, project=other.id, created_at=at(2))))
    for seconds in (7, 5):
        silent = a_run(phase=RunPhase.RUNNING, created_at=at(seconds), cluster_silent_since=at(seconds))
        await stores.runs.add(new(silent))
    assert await stores.runs.load("local") == ClusterLoad(
        running={"prj_demo": 9, other.id: 1},
        starting=4,
        waiting={"prj_demo": 1, other.id: 1},
        limits={other.id: 3},
        silent_since=at(5),
    )
    assert await stores.runs.load("none") == ClusterLoad(limits={other.id: 3})
