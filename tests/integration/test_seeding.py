"""Made-up runs are runs like any other: whole, ended, found by every filter, and never beside real ones."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from factories import a_project, new
from shell import Shell
from sqlalchemy import text
from stores import Stores, emptied_stores, opened

from daftray.adapters.db import Database, run_list
from daftray.adapters.db.seeding import seed
from daftray.domain.errors import ConflictError
from daftray.domain.ports import RunQuery
from daftray.domain.run import Run
from daftray.domain.status import TRANSITIONS, RunPhase, RunStatus
from daftray.server.data_dir import DataDir

RUNS = 1200


@pytest.fixture(params=["sqlite", "postgres"])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[tuple[Database, Stores], None]:
    url = f"sqlite:///{tmp_path / 'daftray.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("migrated_postgres")
        async with emptied_stores(url):
            pass
    async with opened(url) as (database, stores):
        await database.migrate()
        yield database, stores


async def runs_of(stores: Stores, **query: object) -> list[Run]:
    found: list[Run] = []
    for project in await stores.projects.list("default", limit=50, offset=0):
        found += await stores.runs.list(RunQuery(project=project.id, limit=RUNS * 2, **query))  # type: ignore[arg-type] (fields by name)
    return found


async def test_they_have_ended_by_the_state_machines_own_ways(place: tuple[Database, Stores]) -> None:
    database, stores = place
    heard: list[int] = []
    await seed(database, RUNS, tell=heard.append)
    assert heard == [RUNS]
    runs = await runs_of(stores)
    assert len(runs) == len({run.id for run in runs}) == RUNS
    assert {run.status for run in runs} == {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}
    for run in [*runs[:30], *(run for run in runs if run.attempt > 1)]:
        events = await stores.runs.events(run.id)
        phases = [event.phase for event in events]
        assert all(after in TRANSITIONS[before] for before, after in pairwise(phases)), phases
        assert (phases[-1], events[-1].to, events[-1].at) == (RunPhase.DONE, run.status, run.completed_at)
        assert events[0].at == run.created_at
        assert [attempt.number for attempt in run.attempts] == list(range(1, run.attempt + 1))
        assert run.commit is not None
        assert events[1].detail == f"commit {run.commit}"
        assert run.attempts[-1].submission_id == run.submission_id
        assert "@" not in str((run, events)).replace("git@", "")


async def test_they_are_found_by_every_filter(
    place: tuple[Database, Stores], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, stores = place
    await seed(database, RUNS, tell=_nothing)
    monkeypatch.setattr(run_list, "_LOOK", 1)
    runs = await runs_of(stores)
    oldest = min(runs, key=lambda run: run.id)
    for query, fits in (
        ({"text": "load_v1"}, lambda run: "load_v1" in run.entrypoint.label),
        ({"text": oldest.commit}, lambda run: run.commit == oldest.commit),
        ({"labels": {"team": "ml", "env": "prod"}}, lambda run: run.labels.get("team") == "ml"),
        ({"trigger": "webhook", "text": "etl/"}, lambda run: run.trigger == "webhook"),
        ({"status": RunStatus.FAILED}, lambda run: run.status is RunStatus.FAILED),
    ):
        found = await runs_of(stores, **query)
        assert found == [run for run in runs if fits(run)], query
        assert found, query


async def test_more_can_be_added_and_the_database_stays_as_it_was(place: tuple[Database, Stores]) -> None:
    database, stores = place
    before = await objects(database)
    await seed(database, 20, tell=_nothing)
    await seed(database, 30, tell=_nothing)
    assert len(await runs_of(stores)) == 50
    assert await objects(database) == before


async def test_what_was_written_past_the_foreign_keys_fits_them(tmp_path: Path) -> None:
    path = tmp_path / "daftray.db"
    async with opened(f"sqlite:///{path}") as (database, _):
        await database.migrate()
        await seed(database, 50, tell=_nothing)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def objects(database: Database) -> set[str]:
    """Return the names of all indexes and triggers."""
    kind = {
        "sqlite": "SELECT name FROM sqlite_master",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() "
        "UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    async with database.reading() as session:
        return set(await session.scalars(text(kind[session.get_bind().dialect.name])))


async def test_a_database_with_runs_of_somebodys_is_refused(place: tuple[Database, Stores]) -> None:
    database, stores = place
    await seed(database, 20, tell=_nothing)
    await stores.projects.add(a_project(id="prj_demo"))
    await seed(database, 20, tell=_nothing)
    await stores.runs.add(new())
    with pytest.raises(ConflictError):
        await seed(database, 20, tell=_nothing)
    assert len(await runs_of(stores)) == 41


def test_the_command_fills_a_data_folder_unless_a_server_has_it(tmp_path: Path) -> None:
    shell = Shell()
    words = ("admin", "seed", "--runs", "10", "--data-dir", str(tmp_path / "data"))
    assert shell.run(*words) == 0
    assert shell.err.startswith("10 runs in ")
    with DataDir(tmp_path / "data").owned():
        assert shell.run(*words) == 1
    assert shell.err.startswith("error[data-dir-busy]")


def _nothing(_: int) -> None:
    pass
