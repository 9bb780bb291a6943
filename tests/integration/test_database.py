"""What only a real database can show: claimers at once, writers that are cut off, errors that stay inside."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
import traceback
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from factories import NOW, a_claim, a_project, a_run, a_secret, an_event, new
from sqlalchemy import func, select, text
from stores import Stores, opened

from daftray.adapters.db import Database
from daftray.adapters.db.rows import RunRow
from daftray.domain.errors import DaftrayError, InvalidInputError, StoreUnavailableError
from daftray.domain.ports import NewRun, RunQuery

RUNS = 120
VALUE = "a-value"


@pytest.fixture
async def stores(database_url: str) -> AsyncGenerator[Stores, None]:
    async with opened(database_url) as (_, found):
        await found.projects.add(a_project(id="prj_demo"))
        yield found


async def fill(stores: Stores) -> set[str]:
    runs = [a_run() for _ in range(RUNS)]
    for run in runs:
        await stores.runs.add(new(run))
    return {run.id for run in runs}


async def claim_all(url: str, token: str) -> list[str]:
    """Claim until nothing is due, a few at a time; what is got must hold."""
    got: list[str] = []
    async with opened(url) as (_, stores):
        while found := await stores.runs.claim_due(a_claim(token), limit=3):
            got += [run.id for run in found]
            await stores.runs.save(found[0], [an_event(detail=token)], a_claim(token))
    return got


async def test_claimers_in_threads_never_get_the_same_run(stores: Stores, database_url: str) -> None:
    ids = await fill(stores)
    start = threading.Barrier(3)
    results: list[list[str]] = []

    def work(token: str) -> None:
        start.wait(timeout=30)
        results.append(asyncio.run(claim_all(database_url, token)))

    await asyncio.gather(*(asyncio.to_thread(work, f"thread-{number}") for number in range(3)))
    assert Counter(run for result in results for run in result) == dict.fromkeys(ids, 1)


CLAIM = """
import asyncio, sys
from datetime import timedelta
from daftray.adapters.db import Database, SqlRunStore
from daftray.domain.ports import Claim

async def main():
    database = Database(sys.argv[1])
    await database.open()
    runs = SqlRunStore(database)
    claim = Claim(token=sys.argv[2], lease=timedelta(hours=1))
    print("ready", flush=True)
    sys.stdin.readline()
    while found := await runs.claim_due(claim, limit=2):
        print(*(run.id for run in found), flush=True)
    await database.close()

asyncio.run(main())
"""


def start_claimer(url: str, token: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CLAIM, url, token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_claimers_in_processes_never_get_the_same_run(stores: Stores, database_url: str) -> None:
    ids = await fill(stores)
    claimers = [start_claimer(database_url, f"process-{number}") for number in range(2)]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert await asyncio.to_thread(claimer.stdout.readline) == "ready\n"
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    results = [(await asyncio.to_thread(claimer.communicate, timeout=60))[0].split() for claimer in claimers]
    assert Counter(run for result in results for run in result) == dict.fromkeys(ids, 1)
    assert [claimer.returncode for claimer in claimers] == [0, 0]


async def test_writers_at_once_lose_nothing(stores: Stores) -> None:
    run = a_run()
    await stores.runs.add(new(run))
    await stores.runs.claim_due(a_claim(), limit=1)
    await asyncio.gather(
        *(stores.runs.save(run, [an_event(detail=str(number))], a_claim()) for number in range(40))
    )
    details = {event.detail for event in await stores.runs.events(run.id)}
    assert details == {None, *map(str, range(40))}


@pytest.mark.parametrize("seed", range(3))
async def test_a_writer_that_is_cancelled_leaves_all_or_nothing(stores: Stores, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (repeatable)
    runs = [a_run(labels={"a": "b"}) for _ in range(60)]
    tasks = [
        asyncio.create_task(
            stores.runs.add(NewRun(run=run, event=an_event(), secrets=(a_secret(owner=run.id),)))
        )
        for run in runs
    ]
    for task in chance.sample(tasks, 40):
        for _ in range(chance.randint(0, 30)):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    kept = {run.id for run in await stores.runs.list(RunQuery(project="prj_demo", limit=100))}
    assert len(kept) >= 20
    for run in runs:
        there = run.id in kept
        assert len(await stores.runs.events(run.id)) == there
        assert len(await stores.secrets.list(run.id)) == there
    labelled = await stores.runs.list(RunQuery(project="prj_demo", labels={"a": "b"}, limit=100))
    assert {run.id for run in labelled} == kept


async def test_what_is_read_in_one_go_is_of_one_moment(stores: Stores, database_url: str) -> None:
    async with opened(database_url) as (database, _), database.reading() as session:
        before = await session.scalar(select(func.count()).select_from(RunRow))
        await stores.runs.add(new(a_run()))
        assert await session.scalar(select(func.count()).select_from(RunRow)) == before == 0
    assert len(await stores.runs.list(RunQuery(project="prj_demo"))) == 1


async def test_the_time_is_the_databases_and_moves_on_inside_a_transaction(database_url: str) -> None:
    database = Database(database_url)
    async with database.writing() as session:
        first = await database.now(session)
        while (second := await database.now(session)) == first:
            pass
    await database.close()
    assert first < second
    assert first.tzinfo is UTC
    assert abs(second - datetime.now(UTC)) < timedelta(minutes=1), "they are on this machine"


async def test_times_come_back_in_utc_and_naive_ones_are_refused(stores: Stores) -> None:
    berlin = NOW.astimezone(ZoneInfo("Europe/Berlin"))
    run = a_run(created_at=berlin)
    await stores.runs.add(new(run))
    found = await stores.runs.get(run.id)
    assert found.created_at == NOW
    assert found.created_at.tzinfo is UTC
    stores.clock.set(datetime(2026, 11, 1))  # noqa: DTZ001 (the point of it)
    with pytest.raises(DaftrayError):
        await stores.runs.request_cancel(run.id)


async def test_an_error_of_the_database_shows_no_values(stores: Stores, database_url: str) -> None:
    async with opened(database_url) as (database, _), database.writing() as session:
        await session.execute(text("ALTER TABLE secrets RENAME TO hidden"))
    try:
        with pytest.raises(DaftrayError) as caught:
            await stores.secrets.put(a_secret(key_id=VALUE))
    finally:
        async with opened(database_url) as (database, _), database.writing() as session:
            await session.execute(text("ALTER TABLE hidden RENAME TO secrets"))
    assert not isinstance(caught.value, StoreUnavailableError)
    shown = "".join(traceback.format_exception(caught.value))
    assert VALUE not in shown
    assert "INSERT INTO secrets" in shown


@pytest.mark.parametrize(
    "query",
    [
        RunQuery(project="prj_demo", text="\ud800"),
        RunQuery(project="prj_demo", labels={"a": "\ud800"}),
        RunQuery(project="prj_demo", offset=10**30),
    ],
    ids=["text", "label", "offset"],
)
async def test_what_no_database_can_hold_is_the_callers_error(stores: Stores, query: RunQuery) -> None:
    with pytest.raises(InvalidInputError):
        await stores.runs.list(query)


async def test_what_json_cannot_hold_is_the_callers_error(stores: Stores) -> None:
    with pytest.raises(InvalidInputError):
        await stores.runs.add(new(a_run(name="\ud800")))
    with pytest.raises(InvalidInputError):
        await stores.runs.add(new(a_run(exit_code=1 << 64)))
