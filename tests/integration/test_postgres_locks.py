"""Who waits for whom on PostgreSQL: decisions that must see each other do, and claims do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from ended_runs import DAY, an_ended_run
from factories import NOW, a_claim, a_project, a_run, new
from postgres_server import PostgresServer
from sqlalchemy import text
from stores import Stores, emptied_stores, opened

from daftray.adapters.db import Database
from daftray.adapters.db.dialect import lock_cluster, lock_retention
from daftray.domain.queue import ClusterQueue
from daftray.domain.retention import Holdings, Kept
from daftray.domain.run import Run
from daftray.domain.status import RunPhase

PATIENCE_S = 60
CLAIM = a_claim("mine")


@pytest.fixture
async def stores(migrated_postgres: str) -> AsyncGenerator[Stores, None]:
    async with emptied_stores(migrated_postgres) as found:
        await found.projects.add(a_project(id="prj_demo"))
        yield found


@pytest.fixture
async def other(migrated_postgres: str) -> AsyncGenerator[Database, None]:
    """What another server has of the same database."""
    async with opened(migrated_postgres) as (database, _):
        yield database


async def waits(postgres: PostgresServer, call: asyncio.Task[list[Run]] | asyncio.Task[list[Kept]]) -> bool:
    """Tell whether a call comes to wait for a lock; false once it has ended without."""
    async with asyncio.timeout(PATIENCE_S), postgres.asked("migrated") as connection:
        while not call.done():
            if await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                return True
            await asyncio.sleep(0.01)
    return False


def first_two(queue: ClusterQueue) -> Sequence[str]:
    """Fill a cluster of two places."""
    return [run.id for run in queue.waiting][: 2 - sum(queue.running.values())]


async def queued(stores: Stores, number: int) -> list[Run]:
    runs = [a_run(phase=RunPhase.QUEUED) for _ in range(number)]
    await stores.runs.add(*(new(run) for run in runs))
    return runs


def admit(stores: Stores, cluster: str = "local") -> asyncio.Task[list[Run]]:
    return asyncio.ensure_future(stores.runs.admit(CLAIM, cluster, choose=first_two, ahead=9))


async def test_one_server_at_a_time_gives_away_a_clusters_places(
    postgres: PostgresServer, stores: Stores, other: Database
) -> None:
    runs = await queued(stores, 3)
    async with other.writing() as session:
        await lock_cluster(session, "local")
        assert not await waits(postgres, admit(stores, "far")), "another cluster's are another decision"
        mine = admit(stores)
        assert await waits(postgres, mine)
        # The other server gives one place away meanwhile.
        await session.execute(text("UPDATE runs SET phase = 'preparing' WHERE id = :id"), {"id": runs[0].id})
    assert [run.id for run in await mine] == [runs[1].id], "of two places one was left"


async def test_who_removes_what_is_oldest_sees_what_others_removed(
    postgres: PostgresServer, stores: Stores, other: Database
) -> None:
    run = an_ended_run(NOW - DAY, log_size=5)
    await stores.runs.add(new(run))

    def all_of_it(holdings: Holdings) -> Sequence[Kept]:
        return holdings.oldest

    async with other.writing() as session:
        await lock_retention(session)
        mine = asyncio.ensure_future(
            stores.retention.remove("logs", all_of_it, blobs=lambda kept: kept.run, limit=9)
        )
        assert await waits(postgres, mine)
        await session.execute(text("UPDATE attempts SET log_removed_at = now()"))
    assert await mine == []


@pytest.mark.parametrize("how", ["claim", "admit"])
async def test_a_run_that_another_server_is_about_to_take_is_passed_over(
    postgres: PostgresServer, stores: Stores, other: Database, how: str
) -> None:
    first, second = await queued(stores, 2)
    async with other.writing() as session:
        await session.execute(text("SELECT id FROM runs WHERE id = :id FOR UPDATE"), {"id": first.id})
        call = (
            admit(stores) if how == "admit" else asyncio.ensure_future(stores.runs.claim_due(CLAIM, limit=9))
        )
        assert not await waits(postgres, call)
        assert [run.id for run in await call] == [second.id]
