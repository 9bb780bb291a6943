"""Whatever there is, and whatever the operator wants kept: nothing goes of a run that has not ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from ended_runs import DAY, a_live_run, an_ended_run
from factories import NOW, a_run, new
from hypothesis import given
from hypothesis import strategies as st
from retention_world import Bound, RetentionPolicy, World, log_key

from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.retention import Kept, Kind
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunPhase, RunStatus
from daftray.metrics.outcomes import result_key
from daftray.retention.keys import blobs_of

ENDINGS = [status for status in RunStatus if status.terminal]
GOES_ON = [phase for phase in RunPhase if phase is not RunPhase.DONE]
AGES = st.integers(0, 30).map(lambda days: days * DAY)
SIZES = st.integers(0, 40)


@dataclass(frozen=True)
class Past:
    """A run as it was: when each attempt ended, the bytes of its logs and result, and how it ended, if."""

    age: timedelta
    sizes: list[int]
    result: int
    ends: RunStatus | None
    phase: RunPhase


PASTS = st.builds(
    Past,
    age=AGES,
    sizes=st.lists(SIZES, min_size=1, max_size=3),
    result=SIZES,
    ends=st.none() | st.sampled_from(ENDINGS),
    phase=st.sampled_from(GOES_ON),
)
BOUNDS = st.builds(Bound, age=st.none() | AGES, size=st.none() | st.integers(0, 400))


def run_of(past: Past) -> Run:
    """Return a run whose last attempt ended at the age, or goes on; each one before ended a day earlier."""
    number, ended = len(past.sizes), NOW - past.age
    if past.ends is None:
        run = a_live_run(ended, attempt=number, log_size=past.sizes[-1], phase=past.phase)
    else:
        run = an_ended_run(ended, attempt=number, log_size=past.sizes[-1], status=past.ends)
    for earlier in range(1, number):
        attempt = Attempt(
            number=earlier,
            submission_id=run.submission_of(earlier),
            status=RunStatus.FAILED,
            ended_at=ended - (number - earlier) * DAY,
            log_size=past.sizes[earlier - 1],
        )
        run = run.with_attempt(attempt)
    return run


async def a_world(pasts: list[Past]) -> tuple[World, list[Run]]:
    world = await World().open()
    runs = [run_of(past) for past in pasts]
    await world.add(*runs)
    for run, past in zip(runs, pasts, strict=True):
        if past.result:
            await world.add_result(run, size=past.result, at=NOW - past.age, attempt=run.attempt)
    return world, runs


async def kept_of(world: World, kind: Kind) -> tuple[int, list[Kept]]:
    found = await world.stores.retention.holdings(kind, limit=1000)
    return found.total, list(found.oldest)


@given(st.lists(PASTS, max_size=12), BOUNDS, BOUNDS, st.none() | AGES)
def test_a_pass(pasts: list[Past], logs: Bound, results: Bound, runs: timedelta | None) -> None:
    asyncio.run(hold(pasts, RetentionPolicy(logs=logs, results=results, runs=runs)))


async def hold(pasts: list[Past], policy: RetentionPolicy) -> None:
    world, runs = await a_world(pasts)
    retention = world.retention(policy)
    blobs = dict(world.kept())
    before = {run.id: await world.stores.runs.get(run.id) for run in runs}
    held = {"logs": await kept_of(world, "logs"), "results": await kept_of(world, "results")}

    told = await retention.collect(dry_run=True)
    assert world.kept() == blobs
    assert {run.id: await world.stores.runs.get(run.id) for run in runs} == before

    did = await retention.collect(dry_run=False)
    assert not did.more
    assert [one for one in did.removed if one.what != "runs"] == [
        one for one in told.removed if one.what != "runs"
    ]
    for run, past in zip(runs, pasts, strict=True):
        if past.ends is None:
            assert await world.stores.runs.get(run.id) == before[run.id]
            mine = {key: data for key, data in blobs.items() if key.startswith(f"runs/{run.id}/")}
            assert {
                key: data for key, data in world.kept().items() if key.startswith(f"runs/{run.id}/")
            } == mine
    left = {run.id for run in runs} - await world.stores.owners.unknown_runs([run.id for run in runs])
    all_there = policy.runs is None
    await check_kind(world, "logs", policy.logs, held["logs"], left, all_there=all_there)
    await check_kind(world, "results", policy.results, held["results"], left, all_there=all_there)
    await check_blobs(world, left)
    for run, past in zip(runs, pasts, strict=True):
        old = policy.runs is not None and past.ends is not None and past.age >= policy.runs
        assert (run.id not in left) == old


async def check_kind(
    world: World, kind: Kind, bound: Bound, held: tuple[int, list[Kept]], left: set[str], *, all_there: bool
) -> None:
    """Hold what is left of a kind against what there was, and what was wanted."""
    before, ended = held
    total, kept = await kept_of(world, kind)
    gone = [one for one in ended if one not in kept and one.run in left]
    for one in kept:
        assert bound.age is None or NOW - one.since <= bound.age
    # In the database an old run's record went with all that it had: the bound was met before.
    if bound.size is not None and kept:
        assert total <= bound.size
    too_much = [one for one in gone if bound.age is None or NOW - one.since <= bound.age]
    if too_much:
        assert bound.size is not None
        last = too_much[-1]
        assert all((one.since, one.run, one.attempt) > (last.since, last.run, last.attempt) for one in kept)
        assert not all_there or total + last.size > bound.size  # and nothing went that could have stayed
    if bound == Bound():
        assert gone == []
    assert total <= before


async def check_blobs(world: World, left: set[str]) -> None:
    """Hold the blobs against the database: what it tells of is there, and nothing else."""
    expected: set[str] = set()
    for run_id in left:
        run = await world.stores.runs.get(run_id)
        for one in run.attempts:
            if one.log_size and one.log_removed_at is None:
                expected.add(log_key(run, one.number, one.log_size))
        result = await world.stores.reports.result(run.id)
        if result is not None and result.removed_at is None:
            expected.add(result_key(run.id, result.attempt))
    assert set(world.kept()) == expected
    assert await world.stores.retention.pending(limit=10) == []


async def test_a_pass_has_an_end_and_the_next_goes_on() -> None:
    world = await World().open()
    await world.add(*(an_ended_run(NOW - 9 * DAY, log_size=1) for _ in range(1201)))
    retention = world.retention(RetentionPolicy(logs=Bound(age=DAY), most=500))
    passes = [await retention.collect(dry_run=False) for _ in range(3)]
    assert [(one.removed[0].count, one.more) for one in passes] == [(500, True), (500, True), (201, False)]
    assert world.kept() == {}


async def test_an_idempotency_key_never_outlives_its_run() -> None:
    world = await World().open()
    runs = [an_ended_run(NOW - age * DAY) for age in (12, 9, 2)]
    for number, run in enumerate(runs):
        world.clock.set(run.created_at)
        await world.stores.runs.add(
            new(run), key=IdempotencyKey(project="prj_demo", key=str(number), digest="d")
        )
    world.clock.set(NOW)
    did = await world.retention(RetentionPolicy(runs=10 * DAY)).collect(dry_run=False)
    assert [(one.what, one.rule, one.count) for one in did.removed] == [
        ("idempotency keys", "older than 5 days", 2),
        ("runs", "older than 10 days", 1),
    ]
    assert await world.stores.runs.added_under(IdempotencyKey(project="prj_demo", key="2", digest="d"))


async def test_a_run_stays_while_idempotency_keys_wait_for_the_next_pass() -> None:
    world = await World().open()
    world.clock.set(NOW - 20 * DAY)
    for number in range(501):
        key = IdempotencyKey(project="prj_demo", key=str(number), digest="d")
        await world.stores.runs.add(new(an_ended_run(NOW - 15 * DAY)), key=key)
    world.clock.set(NOW)
    retention = world.retention(RetentionPolicy(runs=10 * DAY, most=1))
    did = await retention.collect(dry_run=False)
    assert ([one.what for one in did.removed], did.more) == (["idempotency keys"], True)
    did = await retention.collect(dry_run=False)
    assert [(one.what, one.count) for one in did.removed] == [("idempotency keys", 1), ("runs", 500)]


def test_the_blobs_of_a_log_are_below_its_prefix() -> None:
    run = a_run()
    kept = Kept(run=run.id, attempt=1, size=3, since=NOW)
    assert log_key(run, 1, 3).startswith(blobs_of("logs", kept))
