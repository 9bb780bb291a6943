"""What only a real database can show: claimers at once, a file that is locked, errors that stay inside."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from factories import NOW, a_claim, a_project, a_run, a_secret, an_event, new
from stores import Stores, sqlite_stores

from daftray.adapters.db import Database, SqlRunStore, dialect
from daftray.adapters.db import database as database_module
from daftray.domain.errors import DaftrayError, InvalidInputError, StoreUnavailableError
from daftray.domain.metrics import UsageSummary
from daftray.domain.ports import NewRun, RunQuery

RUNS = 120


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daftray.db"


@pytest.fixture
async def stores(path: Path) -> AsyncGenerator[Stores, None]:
    async with sqlite_stores(path) as found:
        await found.projects.add(a_project(id="prj_demo"))
        yield found


async def fill(stores: Stores) -> set[str]:
    runs = [a_run() for _ in range(RUNS)]
    for run in runs:
        await stores.runs.add(new(run))
    return {run.id for run in runs}


async def claim_all(path: Path, token: str) -> list[str]:
    """Claim until nothing is due, a few at a time; what is got must hold."""
    got: list[str] = []
    async with sqlite_stores(path) as stores:
        while found := await stores.runs.claim_due(a_claim(token), limit=3):
            got += [run.id for run in found]
            await stores.runs.save(found[0], [an_event(detail=token)], a_claim(token))
    return got


async def test_claimers_in_threads_never_get_the_same_run(stores: Stores, path: Path) -> None:
    ids = await fill(stores)
    start = threading.Barrier(3)
    results: list[list[str]] = []

    def work(token: str) -> None:
        start.wait(timeout=30)
        results.append(asyncio.run(claim_all(path, token)))

    await asyncio.gather(*(asyncio.to_thread(work, f"thread-{number}") for number in range(3)))
    assert Counter(run for result in results for run in result) == dict.fromkeys(ids, 1)


CLAIM = """
import asyncio, sys
from datetime import datetime, timedelta, timezone
from daftray.adapters.db import Database, SqlRunStore
from daftray.domain.ports import Claim

async def main():
    database = Database(f"sqlite:///{sys.argv[1]}")
    await database.open()
    runs = SqlRunStore(database)
    claim = Claim(token=sys.argv[2], lease=timedelta(hours=1))
    now = datetime.fromisoformat(sys.argv[3])
    print("ready", flush=True)
    sys.stdin.readline()
    while found := await runs.claim_due(claim, limit=2):
        print(*(run.id for run in found), flush=True)
    await database.close()

asyncio.run(main())
"""


def start_claimer(path: Path, token: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CLAIM, str(path), token, NOW.isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_claimers_in_processes_never_get_the_same_run(stores: Stores, path: Path) -> None:
    ids = await fill(stores)
    claimers = [start_claimer(path, f"process-{number}") for number in range(2)]
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


async def test_a_reader_goes_on_while_another_process_writes(stores: Stores, path: Path) -> None:
    await fill(stores)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert (await stores.projects.by_id("prj_demo")).id == "prj_demo"


async def test_a_file_that_stays_locked_is_an_error_to_try_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "_BUSY_TIMEOUT_MS", 50)
    async with sqlite_stores(path) as stores:
        await stores.projects.add(a_project(id="prj_demo"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError) as caught:
                await stores.runs.add(new(a_run()))
            assert caught.value.retryable
        await stores.runs.add(new(a_run()))


async def test_a_turn_to_write_that_never_comes_is_an_error_to_try_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_TURN_TIMEOUT_S", 0.05)
    async with sqlite_stores(path) as stores:
        database = Database(f"sqlite:///{path}")
        runs = SqlRunStore(database)
        async with database.writing():
            with pytest.raises(StoreUnavailableError):
                await runs.save_usage("run_none", UsageSummary())
        await runs.save_usage("run_none", UsageSummary())
        assert await stores.projects.list("default", limit=1, offset=0) == []
        await database.close()


async def test_a_database_that_cannot_be_opened_is_an_error_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    database = Database(f"sqlite:///{tmp_path}/file/daftray.db")
    with pytest.raises(StoreUnavailableError):
        await database.open()
    await database.close()


async def test_an_error_of_the_database_shows_no_values(stores: Stores, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE secrets")
    with pytest.raises(DaftrayError) as caught:
        await stores.secrets.put(a_secret(key_id="a value"))
    assert not isinstance(caught.value, StoreUnavailableError)
    text, cause = str(caught.value), str(caught.value.__cause__)
    assert "a value" not in text + cause
    assert "no such table: secrets" in cause


async def test_times_are_kept_in_utc_and_naive_ones_refused(stores: Stores, path: Path) -> None:
    berlin = NOW.astimezone(ZoneInfo("Europe/Berlin"))
    run = a_run(created_at=berlin)
    await stores.runs.add(new(run))
    found = await stores.runs.get(run.id)
    assert found.created_at == NOW
    assert found.created_at.tzinfo is UTC
    stores.clock.set(berlin)
    await stores.runs.claim_due(a_claim(), limit=1)
    await stores.runs.release(run.id, a_claim(), due_in=timedelta(seconds=60))
    with closing(sqlite3.connect(path)) as raw:
        (kept,) = raw.execute("SELECT due_at FROM runs").fetchone()
    assert kept == "2026-11-01 12:01:00.000000"
    stores.clock.set(datetime(2026, 11, 1))  # noqa: DTZ001 (the point of it)
    with pytest.raises(DaftrayError):
        await stores.runs.request_cancel(run.id)


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
