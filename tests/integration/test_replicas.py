"""Two servers on one PostgreSQL: who waits at one is woken by what happens at the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from factories import a_claim, a_project, a_run, new
from fake_ray import FakeRayJobs
from fakes import FakeClock
from stores import Stores, emptied_stores, opened

from daftray.adapters.blobs import ObjectBlobs
from daftray.adapters.db.notices import notices_of
from daftray.domain.cluster import JobStatus, JobSubmission
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunPhase, RunStatus
from daftray.logs import follow
from daftray.logs.archive import LogArchive
from daftray.logs.follow import LogBatch, LogEnd, LogFollower
from daftray.runs.replicas import Replicas

PATIENCE_S = 30
CLAIM = a_claim()


class Replica:
    """What of a server logs and wakes need."""

    def __init__(self, url: str, stores: Stores, blobs: Path, rayjobs: FakeRayJobs) -> None:
        self.stores = stores
        self.replicas = Replicas(notices_of(url))
        self.archive = LogArchive(
            blobs=ObjectBlobs(blobs), rayjobs=rayjobs, runs=stores.runs, signals=self.replicas.signals
        )
        self.follower = LogFollower(
            archive=self.archive,
            runs=stores.runs,
            signals=self.replicas.signals,
            clock=FakeClock(),
            stopping=asyncio.Event(),
        )

    async def woken(self) -> None:
        """Wait until the reconciler's loop would wake, and let it sleep again."""
        async with asyncio.timeout(PATIENCE_S):
            await self.replicas.wake._any.wait()
        self.replicas.wake._any.clear()


@asynccontextmanager
async def replica(url: str, blobs: Path, rayjobs: FakeRayJobs) -> AsyncGenerator[Replica, None]:
    async with opened(url) as (_, stores):
        one = Replica(url, stores, blobs, rayjobs)
        serving = asyncio.create_task(one.replicas.serve())
        await one.woken()  # it listens
        yield one
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
def rayjobs() -> FakeRayJobs:
    return FakeRayJobs((JobStatus.RUNNING,))


@pytest.fixture
async def pair(
    migrated_postgres: str, tmp_path: Path, rayjobs: FakeRayJobs
) -> AsyncGenerator[tuple[Replica, Replica], None]:
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(emptied_stores(migrated_postgres))
        await stores.projects.add(a_project(id="prj_demo"))
        yield (
            await stack.enter_async_context(replica(migrated_postgres, tmp_path / "blobs", rayjobs)),
            await stack.enter_async_context(replica(migrated_postgres, tmp_path / "blobs", rayjobs)),
        )


async def running(here: Replica, rayjobs: FakeRayJobs) -> Run:
    """Return a run that this replica holds, and whose job is there."""
    run = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING)
    run = run.with_attempt(Attempt(number=1, submission_id=run.submission_id))
    await here.stores.runs.add(new(run))
    await here.stores.runs.claim_due(CLAIM, limit=1)
    await rayjobs.submit(JobSubmission(submission_id=run.submission_id, entrypoint="true", runtime_env={}))
    return run


async def test_who_follows_at_one_server_sees_what_the_other_archives(
    pair: tuple[Replica, Replica], rayjobs: FakeRayJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 3600)  # nothing but a notice wakes the follower
    here, there = pair
    run = await running(here, rayjobs)
    lines = _lines(there.follower.follow(run.id))
    for line in ("one", "two", "three"):
        shown = asyncio.ensure_future(anext(lines))
        await waits(there, run)
        rayjobs.write(run.submission_id, f"{line}\n".encode())
        job, known = await rayjobs.get(run.submission_id), await here.stores.runs.get(run.id)
        assert await here.archive.copy(known, job, claim=CLAIM, secrets={})
        async with asyncio.timeout(PATIENCE_S):
            assert await shown == line
    await lines.aclose()


async def waits(replica: Replica, run: Run) -> None:
    """Return once a follower of a run has seen all there is, and waits."""
    followers = replica.replicas.signals._followers
    async with asyncio.timeout(PATIENCE_S):
        while not any(event._waiters for event in followers.get(run.id, ())):  # noqa: ASYNC110 (it tells nobody)
            await asyncio.sleep(0.005)


async def _lines(stream: AsyncGenerator[LogBatch | LogEnd, None]) -> AsyncGenerator[str, None]:
    async for batch in stream:
        assert isinstance(batch, LogBatch)
        for line in batch.lines:
            yield line.message


async def test_a_run_that_one_server_drives_is_woken_at_the_other(pair: tuple[Replica, Replica]) -> None:
    """A request to cancel, say, comes in at any server."""
    here, there = pair
    there.replicas.wake.watch("run_1")
    waiting = asyncio.create_task(there.replicas.wake.wait_run("run_1", timeout_s=3600))
    here.replicas.wake.run("run_1")
    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_a_new_run_wakes_the_loops_of_both_servers(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    here.replicas.wake.all()
    await here.woken()
    await there.woken()


async def test_a_notice_goes_no_further_than_who_hears_it(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    here.replicas.wake.all()
    here.replicas.wake.run("run_1")
    await here.woken()
    await there.woken()
    there.replicas.wake.all()
    await here.woken()
    assert not here.replicas.wake._any.is_set()
