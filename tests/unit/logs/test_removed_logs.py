"""What is told of a log or a result that retention removed: that it was there, and not that it is missing."""

from __future__ import annotations

import asyncio

import pytest
from ended_runs import an_ended_run, keep, keep_result
from factories import NOW, a_project
from fake_ray import FakeRayJobs
from fakes import InMemoryBlobs
from stores import Stores, memory_stores

from daftray.domain.errors import LogNotFoundError, LogRemovedError, ResultRemovedError
from daftray.domain.retention import Kept
from daftray.domain.run import Attempt, Run
from daftray.logs.archive import LogArchive
from daftray.logs.chunks import growing_key
from daftray.logs.follow import LogFollower, LogSignals
from daftray.metrics.accounts import Accounts
from daftray.metrics.outcomes import Outcomes


class RemovingBlobs(InMemoryBlobs):
    """Lets retention come between the look at a run and the look at its blob."""

    def __init__(self, stores: Stores) -> None:
        super().__init__()
        self.stores = stores

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        await remove_all(self.stores)
        self.blobs.clear()
        return await super().get(key, start=start, end=end)


def the_key(kept: Kept) -> str:
    return f"{kept.run}/{kept.attempt}"


async def remove_all(stores: Stores) -> None:
    await stores.retention.remove("logs", lambda found: found.oldest, blobs=the_key, limit=10)
    await stores.retention.remove("results", lambda found: found.oldest, blobs=the_key, limit=10)


@pytest.fixture
async def stores() -> Stores:
    found = memory_stores()
    await found.projects.add(a_project(id="prj_demo"))
    return found


@pytest.fixture
async def run(stores: Stores) -> Run:
    ended = an_ended_run(NOW, attempt=2, log_size=5).with_attempt(
        Attempt(number=1, submission_id="s", log_size=3)
    )
    await keep(stores, ended)
    await keep_result(stores, ended, NOW)
    return ended


def archive_of(stores: Stores, blobs: InMemoryBlobs) -> LogArchive:
    return LogArchive(blobs=blobs, rayjobs=FakeRayJobs(), runs=stores.runs)


async def test_a_removed_log_is_no_missing_one(stores: Stores, run: Run) -> None:
    archive = archive_of(stores, InMemoryBlobs())
    assert await archive.size(run.id) == (2, 5)
    await remove_all(stores)
    with pytest.raises(LogRemovedError, match="attempt 2 was removed on 2026-11-01"):
        await archive.size(run.id)
    assert await archive.size(run.id, 1) == (1, 3)
    with pytest.raises(LogNotFoundError):
        await archive.size(run.id, 3)


async def test_a_removed_log_cannot_be_followed(stores: Stores, run: Run) -> None:
    await remove_all(stores)
    follower = LogFollower(
        archive=archive_of(stores, InMemoryBlobs()),
        runs=stores.runs,
        signals=LogSignals(),
        clock=stores.clock,
        stopping=asyncio.Event(),
    )
    with pytest.raises(LogRemovedError):
        [part async for part in follower.follow(run.id)]


async def test_a_log_that_is_removed_while_it_is_read_says_so(stores: Stores, run: Run) -> None:
    blobs = RemovingBlobs(stores)
    await blobs.put(growing_key(run.id, 2, 0, 5), b"hello")
    with pytest.raises(LogRemovedError):
        await archive_of(stores, blobs).read(run.id, 2, size=5, start=0, end=5)


async def test_a_removed_result_is_no_missing_one(stores: Stores, run: Run) -> None:
    accounts = Accounts(reports=stores.reports, prices=stores.prices)
    outcomes = Outcomes(reports=stores.reports, blobs=InMemoryBlobs(), accounts=accounts)
    assert (await outcomes.result(run.id)).kind == "json"
    await remove_all(stores)
    for asked in (outcomes.result, outcomes.data):
        with pytest.raises(ResultRemovedError, match="removed on 2026-11-01"):
            await asked(run.id)
