"""What every `RunStore` does about claims: one holder at a time, oldest first, and no wake is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, a_claim, a_run, at, new
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
    stores.clock.set(at(seconds))
    run = a_run(created_at=at(seconds), **fields)
    await stores.runs.add(new(run))
    return run


async def claim(stores: Stores, seconds: float = 0, *, by: Claim = MINE, limit: int = 100) -> list[str]:
    stores.clock.set(at(seconds))
    return [run.id for run in await stores.runs.claim_due(by, limit=limit)]


async def renew(stores: Stores, seconds: float, *run_ids: str) -> None:
    stores.clock.set(at(seconds))
    await stores.runs.renew(MINE, run_ids)


async def release(stores: Stores, run: Run, seconds: float, *, due: float, by: Claim = MINE) -> None:
    stores.clock.set(at(seconds))
    await stores.runs.release(run.id, by, due_in=timedelta(seconds=due - seconds))


async def cancel(stores: Stores, run: Run, seconds: float) -> None:
    stores.clock.set(at(seconds))
    await stores.runs.request_cancel(run.id)


async def test_a_new_run_is_due_when_it_is_created(stores: Stores) -> None:
    run = await added(stores, 10)
    assert await claim(stores, 9.999999) == []
    assert await claim(stores, 10) == [run.id]


async def test_a_claim_returns_whole_runs(stores: Stores) -> None:
    run = await added(stores, labels={"a": "b"})
    assert await stores.runs.claim_due(MINE, limit=1) == [run]


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
    await release(stores, run, LEASE_S, due=LEASE_S)
    await renew(stores, LEASE_S + 1000, run.id)
    await stores.runs.save(replace(run, waiting_for="theirs"), [], THEIRS)
    assert (await stores.runs.get(run.id)).waiting_for == "theirs"
    assert await claim(stores, 2 * LEASE_S) == [run.id], "a stale renewal moved nothing"


async def test_a_renewed_claim_holds_for_another_lease(stores: Stores) -> None:
    run, other = await added(stores, 0), await added(stores, 1)
    await claim(stores, 1)
    await renew(stores, 20, run.id, "run_none")
    await renew(stores, 20)
    assert await claim(stores, 1 + LEASE_S, by=THEIRS) == [other.id]
    assert await claim(stores, 20 + LEASE_S, by=THEIRS) == [run.id]


async def test_a_released_run_comes_again_when_it_is_due(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await release(stores, run, 1, due=5)
    assert await claim(stores, 4.9, by=THEIRS) == []
    assert await claim(stores, 5, by=THEIRS) == [run.id]


async def test_a_run_that_has_ended_is_never_claimed(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    run, _ = run.advance(RunPhase.HARVESTING, NOW, verdict=Verdict(status=RunStatus.FAILED))
    run, _ = run.advance(RunPhase.DONE, NOW)
    await stores.runs.save(run, [], MINE)
    await release(stores, run, 0, due=0)
    assert await claim(stores, 10 * LEASE_S) == []


async def test_a_run_that_ended_just_before_its_claim_was_renewed_is_never_claimed(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    run, _ = run.advance(RunPhase.HARVESTING, NOW, verdict=Verdict(status=RunStatus.FAILED))
    run, _ = run.advance(RunPhase.DONE, NOW)
    await stores.runs.save(run, [], MINE)
    await renew(stores, 1, run.id)
    await cancel(stores, run, 2)
    assert (await stores.runs.get(run.id)).cancel_requested_at is None
    await release(stores, run, 3, due=3)
    assert await claim(stores, 10 * LEASE_S) == []


async def test_a_cancel_makes_the_run_due(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await release(stores, run, 0, due=3600)
    await cancel(stores, run, 1)
    assert await claim(stores, 1) == [run.id]


async def test_a_cancel_while_the_run_is_held_waits_for_its_release_and_no_longer(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await cancel(stores, run, 1)
    assert await claim(stores, 2, by=THEIRS) == [], "a wake does not break a claim"
    await renew(stores, 2, run.id)
    await release(stores, run, 2, due=3600)
    assert await claim(stores, 3, by=THEIRS) == [run.id]
    await release(stores, run, 3, due=60, by=THEIRS)
    assert await claim(stores, 4) == [], "one wake is one look"


async def test_a_cancel_never_makes_a_run_wait_longer(stores: Stores) -> None:
    soon, later = await added(stores), await added(stores)
    await claim(stores)
    await release(stores, soon, 0, due=3)
    await release(stores, later, 0, due=3600)
    for run in (soon, later):
        await cancel(stores, run, 5)
    assert await claim(stores, 5) == [soon.id, later.id], "each since it was due first"


async def test_a_release_may_be_due_before_the_wake(stores: Stores) -> None:
    run = await added(stores)
    await claim(stores)
    await cancel(stores, run, 10)
    await release(stores, run, 4, due=5)
    assert await claim(stores, 5) == [run.id]


async def test_each_time_is_the_stores_own(stores: Stores) -> None:
    stores.clock.set(at(100))
    run = a_run(created_at=at(0))
    await stores.runs.add(new(run))
    assert await claim(stores, 99.9) == [], "due since it came in, whatever the server's clock said"
    assert await claim(stores, 100) == [run.id]
    stores.clock.set(at(101))
    assert (await stores.runs.request_cancel(run.id)).cancel_requested_at == at(101)
