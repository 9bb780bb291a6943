"""What only SQLite does: one file, one writer at a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from factories import NOW, a_claim, a_project, a_run, new
from stores import opened, sqlite_stores

from daftray.adapters.db import Database, SqlRunStore, engine
from daftray.adapters.db import database as database_module
from daftray.domain.errors import StoreUnavailableError
from daftray.domain.metrics import UsageSummary


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daftray.db"


async def test_a_reader_goes_on_while_another_process_writes(path: Path) -> None:
    async with sqlite_stores(path) as stores:
        await stores.projects.add(a_project(id="prj_demo"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await stores.projects.by_id("prj_demo")).id == "prj_demo"


async def test_a_file_that_stays_locked_is_an_error_to_try_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_BUSY_TIMEOUT_MS", 50)
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


async def test_times_are_kept_in_utc_as_text_that_sorts(path: Path) -> None:
    async with sqlite_stores(path) as stores:
        await stores.projects.add(a_project(id="prj_demo"))
        run = a_run()
        await stores.runs.add(new(run))
        stores.clock.set(NOW.astimezone(ZoneInfo("Europe/Berlin")))
        await stores.runs.claim_due(a_claim(), limit=1)
        await stores.runs.release(run.id, a_claim(), due_in=timedelta(seconds=60))
    with closing(sqlite3.connect(path)) as raw:
        (kept,) = raw.execute("SELECT due_at FROM runs").fetchone()
    assert kept == "2026-11-01 12:01:00.000000"


async def test_the_file_is_set_up_for_readers_beside_a_writer(path: Path) -> None:
    async with sqlite_stores(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_a_connection_that_is_closed_lets_others_write_whatever_still_knows_of_it(path: Path) -> None:
    """The traceback of a cancellation holds statements, and by them SQLite's connection."""
    async with opened(f"sqlite:///{path}") as (database, _), database._engine.connect() as connection:
        raw: Any = await connection.get_raw_connection()
        kind = type(raw.driver_connection._conn)
    cut_off = sqlite3.connect(path, factory=kind, isolation_level=None)
    cut_off.execute("CREATE TABLE numbers (number)")
    cut_off.execute("BEGIN IMMEDIATE")
    held = cut_off.execute("INSERT INTO numbers VALUES (1), (2) RETURNING number")
    held.fetchone()
    cut_off.close()
    cut_off.close()
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM numbers").fetchone() == (0,)
    del held
