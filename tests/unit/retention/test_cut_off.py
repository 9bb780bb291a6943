"""A pass that is cut off at any call of a port: what is told stays true, and the next pass finishes it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from ended_runs import DAY, a_live_run, an_ended_run
from factories import COMMIT, NOW
from retention_world import Bound, RetentionPolicy, World

from daftray.domain.errors import LogRemovedError, ResultRemovedError
from daftray.domain.run import Run
from daftray.domain.spec import GitSource, Source
from daftray.logs.archive import LogArchive
from daftray.metrics.accounts import Accounts
from daftray.metrics.outcomes import Outcomes
from daftray.retention.collector import Retention

POLICY = RetentionPolicy(
    logs=Bound(age=5 * DAY, size=40),
    results=Bound(age=5 * DAY),
    packages=Bound(age=5 * DAY),
    mirrors=Bound(size=10),
    runs=20 * DAY,
)
UNNEEDED = ["runs/run_gone/1/log/00000000.3", f"projects/prj_demo/sources/{'a' * 64}", "packages/old.zip"]
NEEDED = f"projects/prj_demo/sources/{'b' * 64}"
TOO_YOUNG = "runs/run_gone/1/result"


class CutOffError(Exception):
    """The server dies here. No error of daftray's own: nobody handles it."""


class Scissors:
    """Cuts off at the Nth passing of a call's beginning or end, whichever port it is of."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0

    def pass_by(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise CutOffError

    def around(self, port: object) -> Any:  # the port's own type
        return _Cut(self, port)


class _Cut:
    def __init__(self, scissors: Scissors, port: object) -> None:
        self._scissors = scissors
        self._port = port

    def __getattr__(self, name: str) -> object:
        call = getattr(self._port, name)
        if inspect.isasyncgenfunction(call):
            return self._stream(call)
        return self._call(call) if inspect.iscoroutinefunction(call) else call

    def _call(self, call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def passing(*args: object, **more: object) -> object:
            self._scissors.pass_by()
            answer = await call(*args, **more)
            self._scissors.pass_by()
            return answer

        return passing

    def _stream(self, stream: Callable[..., AsyncIterator[object]]) -> Callable[..., AsyncIterator[object]]:
        async def passing(*args: object, **more: object) -> AsyncIterator[object]:
            self._scissors.pass_by()
            async for piece in stream(*args, **more):
                yield piece
                self._scissors.pass_by()

        return passing


async def a_full_world() -> tuple[World, list[Run]]:
    """Return a world in which every rule finds something."""
    world = await World().open()
    brought = Source(git=GitSource(remote="https://git.example/demo.git", patch=f"blob:{'b' * 64}"))
    runs = [
        an_ended_run(NOW - 30 * DAY, log_size=7),
        an_ended_run(NOW - 9 * DAY, log_size=10),
        an_ended_run(NOW - 4 * DAY, log_size=20),
        an_ended_run(NOW - 3 * DAY, log_size=20, source=brought),
        a_live_run(NOW - 8 * DAY, log_size=15, commit=COMMIT),
    ]
    await world.add(*runs)
    for run, days in zip(runs, (30, 9, 4, 3, 8), strict=True):
        await world.add_result(run, size=5, at=NOW - days * DAY)
    for key in [*UNNEEDED, NEEDED]:
        await world.put(key, b"123", days_ago=9)
    await world.put(TOO_YOUNG, b"123", days_ago=0.5)
    world.mirrors.add("old", size=8, used=NOW - DAY)
    world.mirrors.add("prj_demo:https://git.example/demo.git", size=8, used=NOW - 9 * DAY)
    return world, runs


def cut_by(scissors: Scissors, world: World) -> Retention:
    return world.retention(
        POLICY,
        store=scissors.around(world.stores.retention),
        owners=scissors.around(world.stores.owners),
        blobs=scissors.around(world.blobs),
    )


async def readable(world: World, runs: list[Run]) -> list[str]:
    """Return what can be read of runs. Whatever is told to be there must be there."""
    archive = LogArchive(blobs=world.blobs, rayjobs=world.rayjobs, runs=world.stores.runs)
    accounts = Accounts(reports=world.stores.reports, prices=world.stores.prices)
    outcomes = Outcomes(reports=world.stores.reports, blobs=world.blobs, accounts=accounts)
    known = [run for run in runs if not await world.stores.owners.unknown_runs([run.id])]
    found: list[str] = []
    for run in known:
        try:
            _, size = await archive.size(run.id)
            found.append(f"log {await archive.read(run.id, 1, size=size, start=0, end=size)!r}")
        except LogRemovedError:
            found.append("no log")
        try:
            _, data = await outcomes.data(run.id)
            found.append(f"result {b''.join([piece async for piece in data])!r}")
        except ResultRemovedError:
            found.append("no result")
    return found


def state_of(world: World, runs: list[Run]) -> object:
    """Return what is left, with runs by number, since their ids differ from world to world."""
    number = {run.id: str(n) for n, run in enumerate(runs)}
    keys = sorted("/".join(number.get(part, part) for part in key.split("/")) for key in world.kept())
    return keys, sorted(world.mirrors.mirrors)


async def test_each_rule_does_its_part() -> None:
    world, runs = await a_full_world()
    did = await world.retention(POLICY).collect(dry_run=False)
    assert [(one.what, one.rule, one.count, one.size) for one in did.removed] == [
        ("logs", "older than 5 days", 2, 17),
        ("logs", "beyond 40 bytes", 1, 20),
        ("results", "older than 5 days", 2, did.removed[2].size),
        ("blobs", "their run is gone, older than 1 day", 1, 3),
        ("sources", "no run is made of them, older than 1 day", 1, 3),
        ("packages", "older than 5 days", 1, 3),
        ("mirrors", "beyond 10 bytes", 1, 8),
        ("runs", "older than 20 days", 1, 0),
    ]
    assert await readable(world, runs) == [
        *("no log", "no result"),
        *("no log", "result b'xxxxx'"),
        *(f"log {b'x' * 20!r}", "result b'xxxxx'"),
        *(f"log {b'x' * 15!r}", "result b'xxxxx'"),
    ]
    assert NEEDED in world.kept()
    assert TOO_YOUNG in world.kept()
    assert not set(UNNEEDED) & world.kept().keys()
    assert await world.stores.retention.pending(limit=1) == []


async def passings() -> int:
    world, _ = await a_full_world()
    scissors = Scissors()
    await cut_by(scissors, world).collect(dry_run=False)
    return scissors.passed


async def test_wherever_a_pass_is_cut_off_the_next_one_finishes_it() -> None:
    whole, its_runs = await a_full_world()
    await whole.retention(POLICY).collect(dry_run=False)
    cuts = await passings()
    assert cuts > 50
    for cut in range(1, cuts + 1):
        world, runs = await finished_after(cut)
        assert state_of(world, runs) == state_of(whole, its_runs), cut
        assert await readable(world, runs) == await readable(whole, its_runs), cut


async def finished_after(cut: int) -> tuple[World, list[Run]]:
    """Return a world after a pass that was cut off, and another one."""
    world, runs = await a_full_world()
    with pytest.raises(CutOffError):
        await cut_by(Scissors(cut), world).collect(dry_run=False)
    told = await readable(world, runs)  # what is not removed by the database's word can be read
    live = runs[-1]
    assert await world.stores.runs.get(live.id) == live
    assert told[-2:] == [f"log {b'x' * 15!r}", "result b'xxxxx'"]

    kept = dict(world.kept())
    await world.retention(POLICY).collect(dry_run=True)
    assert world.kept() == kept
    did = await world.retention(POLICY).collect(dry_run=False)
    assert not did.more
    assert await world.stores.retention.pending(limit=1) == []
    return world, runs


async def test_two_servers_at_once_remove_no_more_than_one() -> None:
    whole, its_runs = await a_full_world()
    await whole.retention(POLICY).collect(dry_run=False)
    world, runs = await a_full_world()
    await asyncio.gather(*(world.retention(POLICY).collect(dry_run=False) for _ in range(3)))
    assert state_of(world, runs) == state_of(whole, its_runs)
    assert await readable(world, runs) == await readable(whole, its_runs)
