"""Metrics as they change: each change once, the new samples of the series, and the run's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from factories import a_counter, a_run, new
from fakes import FakeClock, InMemoryBlobs, InMemoryStores
from msgspec.structs import replace

from daftray.domain.counters import REQUESTS
from daftray.domain.errors import RunNotFoundError
from daftray.domain.metrics import RunMetrics, UsageSummary
from daftray.domain.status import RunPhase, RunStatus
from daftray.metrics.accounts import Accounts
from daftray.metrics.outcomes import Outcomes
from daftray.runs.metrics_stream import MetricsEnd, MetricsFollower

Stream = AsyncGenerator[RunMetrics | MetricsEnd | None, None]


class Followed:
    """A run that counts as the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.memory = InMemoryStores(self.clock)
        self.reports, self.stopping = self.memory.reports, asyncio.Event()
        accounts = Accounts(reports=self.reports, prices=self.memory.prices)
        self.follower = MetricsFollower(
            outcomes=Outcomes(reports=self.reports, blobs=InMemoryBlobs(), accounts=accounts),
            runs=self.memory.runs,
            stopping=self.stopping,
            poll_s=0,
        )
        self.run = a_run(id="run_1", phase=RunPhase.RUNNING, status=RunStatus.RUNNING)

    async def count(self, requests: int) -> None:
        await self.reports.count("run_1", 1, [a_counter(metric=REQUESTS, value=requests)])
        self.clock.move(1)
        await self.reports.sample("run_1", UsageSummary(requests=requests))

    def end(self) -> None:
        record = self.memory.runs._memory.runs["run_1"]
        record.run = replace(record.run, phase=RunPhase.DONE, status=RunStatus.SUCCEEDED)


@pytest.fixture
async def followed() -> Followed:
    world = Followed()
    world.memory.runs._memory.strict = False
    await world.memory.runs.add(new(world.run))
    return world


async def told(stream: Stream) -> tuple[float | None, list[float | None]]:
    """Return the next metrics that are told: the requests, and the samples."""
    while not isinstance(part := await anext(stream), RunMetrics):
        assert part is None
    return part.requests, [sample.requests for sample in part.series.samples]


async def test_each_change_is_told_once_with_what_is_new_of_the_series(followed: Followed) -> None:
    await followed.count(1)
    await followed.count(2)
    stream = followed.follower.follow("run_1")
    assert await told(stream) == (2, [1, 2])
    await followed.count(5)
    assert await told(stream) == (5, [5])
    followed.end()
    assert [part async for part in stream if part] == [MetricsEnd(status=RunStatus.SUCCEEDED)]


async def test_a_run_that_has_ended_is_told_at_once(followed: Followed) -> None:
    followed.end()
    parts = [part async for part in followed.follower.follow("run_1")]
    assert parts == [RunMetrics(), MetricsEnd(status=RunStatus.SUCCEEDED)]


async def test_a_quiet_run_shows_life(followed: Followed) -> None:
    stream = followed.follower.follow("run_1")
    assert await anext(stream) == RunMetrics()
    assert await anext(stream) is None


async def test_a_server_that_stops_ends_the_stream_without_an_end(followed: Followed) -> None:
    stream = followed.follower.follow("run_1")
    await anext(stream)
    followed.stopping.set()
    assert [part async for part in stream] == []


async def test_a_run_that_is_not_there_cannot_be_followed(followed: Followed) -> None:
    with pytest.raises(RunNotFoundError):
        await anext(followed.follower.follow("run_none"))


async def test_those_who_follow_together_share_the_looks(followed: Followed) -> None:
    looks = 0
    totals = followed.reports.totals

    async def counted(run_id: str):
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return await totals(run_id)

    followed.reports.totals = counted
    await asyncio.gather(*(anext(followed.follower.follow("run_1")) for _ in range(50)))
    assert looks == 1
