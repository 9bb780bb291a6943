"""What every `RunStore` does about claims: one holder at a time, oldest first, and no wake is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, a_claim, a_run, an_event, at
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import StaleClaimError
from daftray.domain.ports import Claim
from daftray.domain.run import Run, Verdict
from daftray.domain.status import RunPhase, RunStatus

LEASE_S = 30.0
MINE = a_claim("mine", LEASE_S)
THEIRS = a_claim("theirs", LEASE_S)


async def added(stores: Stores, seconds: float = 0, **fields: object) -> Run:
    run = a_run(created_at=at(seconds), **fields)
    await stores.runs.add(run, an_event())
    return run


async def claim(stores: Stores, seconds: float = 0, *, by: Claim = MINE, limit: int = 100) -> list[str]:
    return [run.id for run in await stores.runs.claim_due(by, now=at(seconds), limit=limit)]


async def test_a_new_run_is_due_when_it_is_created(stores: Stores) -> None:
    run = await added(stores, 10)
    assert await claim(stores, 9.999999) == []
    assert await claim(stores, 10) == [run.id]


async def test_a_claim_returns_whole_runs(stores: Stores) -> None:
    run = await added(stores, labels={"a": "b"})
    assert await stores.runs.claim_due(MINE, now=NOW, limit=1) == [run]


async def test_the_oldest_come_first_up_to_the_limit(stores: Stores) -> None:
    runs = [await added(stores, second) for second in (3, 1, 2, 1)]
    by_age = sorted(runs, key=lambda run: (run.created_at, run.id))
    assert await claim(stores, 5, limit=2) == [run.id for run in by_age[:2]]
    assert await claim(stores, 5, limit=10) == [run.id for run in by_age[2:]]
    assert await claim(stores, 5) == []


async def test_a_held_run_is_nobody_elses_until_the_lease_ends(stores: Stores) -> None:
    run = await added(stores)
    assert await claim(stores) == [run.id]
    assert await claim(stores, by=THEIRS) == []
    assert await claim(stores) == [], "not even its holder's again"
    assert await claim(stores, LEASE_S - 0.000001, by=THEIRS) == []
    assert await claim(stores, LEASE_S, by=THEIRS) == [run.id]


async def test_the_late_holder_is_refused_once_another_has_the_run(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await stores.runs.save(replace(run, waiting_for="late, but nobody else came"), [], MINE)
    await claim(stores, LEASE_S, by=THEIRS)
    with pytest.raises(StaleClaimError):
        await stores.runs.save(replace(run, waiting_for="too late"), [], MINE)
    with pytest.raises(StaleClaimError):
        await stores.runs.save_log_size(run.id, 1, 1, MINE)
    await stores.runs.release(run.id, MINE, due_at=at(LEASE_S))
    await stores.runs.renew(MINE, [run.id], now=at(LEASE_S + 1000))
    await stores.runs.save(replace(run, waiting_for="theirs"), [], THEIRS)
    assert (await stores.runs.get(run.id)).waiting_for == "theirs"
    assert await claim(stores, 2 * LEASE_S) == [run.id], "a stale renewal moved nothing"


async def test_a_renewed_claim_holds_for_another_lease(stores: Stores) -> None:
    run, other = await added(stores, 0), await added(stores, 1)
    await claim(stores, 1)
    await stores.runs.renew(MINE, [run.id, "run_none"], now=at(20))
    await stores.runs.renew(MINE, [], now=at(20))
    assert await claim(stores, 1 + LEASE_S, by=THEIRS) == [other.id]
    assert await claim(stores, 20 + LEASE_S, by=THEIRS) == [run.id]


async def test_a_released_run_comes_again_when_it_is_due(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await stores.runs.release(run.id, MINE, due_at=at(5))
    assert await claim(stores, 4.9, by=THEIRS) == []
    assert await claim(stores, 5, by=THEIRS) == [run.id]


async def test_a_run_that_has_ended_is_never_claimed(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    run, _ = run.advance(RunPhase.HARVESTING, NOW, verdict=Verdict(status=RunStatus.FAILED))
    run, _ = run.advance(RunPhase.DONE, NOW)
    await stores.runs.save(run, [], MINE)
    await stores.runs.release(run.id, MINE, due_at=NOW)
    await stores.runs.make_due(phase=RunPhase.DONE, now=NOW, limit=10)
    assert await claim(stores, 10 * LEASE_S) == []


async def test_a_cancel_makes_the_run_due(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await stores.runs.release(run.id, MINE, due_at=at(3600))
    await stores.runs.request_cancel(run.id, at(1))
    assert await claim(stores, 1) == [run.id]


async def test_a_cancel_while_the_run_is_held_waits_for_its_release_and_no_longer(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await stores.runs.request_cancel(run.id, at(1))
    assert await claim(stores, 2, by=THEIRS) == [], "a wake does not break a claim"
    await stores.runs.renew(MINE, [run.id], now=at(2))
    await stores.runs.release(run.id, MINE, due_at=at(3600))
    assert await claim(stores, 3, by=THEIRS) == [run.id]


async def test_waking_a_phase_takes_its_oldest_runs(stores: Stores) -> None:
    queued = [await added(stores, second, phase=RunPhase.QUEUED) for second in (0, 1, 2)]
    other = await added(stores, 0, phase=RunPhase.RUNNING)
    await claim(stores, 2)
    for run in (*queued, other):
        await stores.runs.release(run.id, MINE, due_at=at(3600))
    await stores.runs.make_due(phase=RunPhase.QUEUED, now=at(5), limit=2)
    assert await claim(stores, 5) == [run.id for run in queued[:2]]


async def test_a_run_that_is_due_already_takes_one_of_the_wakes(stores: Stores) -> None:
    first, second = [await added(stores, number, phase=RunPhase.QUEUED) for number in (0, 1)]
    await claim(stores, 1)
    await stores.runs.release(first.id, MINE, due_at=at(2))
    await stores.runs.release(second.id, MINE, due_at=at(3600))
    await stores.runs.make_due(phase=RunPhase.QUEUED, now=at(5), limit=1)
    assert await claim(stores, 5) == [first.id]
    assert first.created_at + timedelta(seconds=1) == second.created_at


async def test_a_wake_while_the_run_is_held_is_not_lost(stores: Stores) -> None:
    run = await added(stores, phase=RunPhase.QUEUED)
    await claim(stores)
    await stores.runs.make_due(phase=RunPhase.QUEUED, now=at(1), limit=1)
    assert await claim(stores, 2, by=THEIRS) == []
    await stores.runs.release(run.id, MINE, due_at=at(60))
    assert await claim(stores, 2, by=THEIRS) == [run.id]
    await stores.runs.release(run.id, THEIRS, due_at=at(60))
    assert await claim(stores, 3) == [], "one wake is one look"


async def test_a_wake_or_a_cancel_never_makes_a_run_wait_longer(stores: Stores) -> None:
    runs = [await added(stores, phase=RunPhase.QUEUED) for _ in range(3)]
    woken, cancelled, held = (run.id for run in runs)
    await claim(stores)
    for run_id, seconds in ((woken, 2), (cancelled, 3), (held, 3600)):
        await stores.runs.release(run_id, MINE, due_at=at(seconds))
    await stores.runs.make_due(phase=RunPhase.QUEUED, now=at(5), limit=3)
    await stores.runs.request_cancel(cancelled, at(5))
    assert await claim(stores, 5) == [woken, cancelled, held], "each since it was due first"


async def test_a_release_may_be_due_before_the_wake(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await stores.runs.request_cancel(run.id, at(10))
    await stores.runs.release(run.id, MINE, due_at=at(5))
    assert await claim(stores, 5) == [run.id]
