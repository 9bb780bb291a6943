"""What the migrations make of a database that has something in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from factories import NOW
from postgres_server import PostgresServer
from sqlalchemy import Connection, select, text
from stores import opened

from daftray.adapters.db import run_list
from daftray.adapters.db.migrate import upgrade
from daftray.adapters.db.rows import RunRow
from daftray.domain.ids import Ids
from daftray.domain.ports import RunQuery
from daftray.domain.status import RunStatus

PATCH, BUNDLE = "a" * 64, "b" * 64
SPEC = '{"entrypoint": {"file": {"file_path": "main.py"}}, "source": {"git": {"remote": "r"%s}}}'
BROUGHT = f', "patch": "blob:{PATCH}", "bundle": "blob:{BUNDLE}"'
RESULT = '{"kind": "artifact", "data": true, "size": 5000, "value": null}'
ENDED = "2026-10-30 12:00:00.000000+00:00"
_PROJECT = text(
    "INSERT INTO projects (id, workspace, name, source, created_at) "
    "VALUES ('prj_1', 'default', 'demo', '{}', '2026-10-30 12:00:00.000000+00:00')"
)
_RUN = text(
    "INSERT INTO runs (id, spec, project, search_text, status, phase, attempt, timings, warnings, "
    "secret_names, cluster, trigger, created_by, phase_since, created_at, completed_at) "
    "VALUES (:id, :spec, 'prj_1', '', 'succeeded', 'done', 1, '{}', '[]', '[]', 'local', 'manual', 'key_1', "
    "'2026-10-30 12:00:00.000000+00:00', '2026-10-30 12:00:00.000000+00:00', "
    "'2026-10-30 12:00:00.000000+00:00')"
)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    asyncio.run(server.create("old"))
    yield server.url("old")
    asyncio.run(server.drop("old"))


def fill(connection: Connection) -> None:
    """Make a database of version 2 with two runs that have ended, one of which brought its changes along."""
    upgrade(connection, to="0002")
    connection.execute(_PROJECT)
    for run_id, brought in (("run_1", BROUGHT), ("run_2", "")):
        connection.execute(_RUN, {"id": run_id, "spec": SPEC % brought})
    connection.execute(text("INSERT INTO results VALUES ('run_1', 1, :result)"), {"result": RESULT})


async def test_what_was_there_before_retention_can_be_removed_by_it(empty: str) -> None:
    async with opened(empty) as (database, stores):
        async with database._writer.begin() as connection:
            await connection.run_sync(fill)
        await database.migrate()
        (kept,) = (await stores.retention.holdings("results", limit=10)).oldest
        assert (kept.run, kept.attempt, kept.size) == ("run_1", 1, 5000 + len(RESULT))
        assert NOW > kept.since == kept.since.fromisoformat(ENDED)
        assert await stores.owners.needed_sources("prj_1", [PATCH, BUNDLE, "c" * 64]) == {PATCH, BUNDLE}


def fill_before_search(connection: Connection) -> None:
    """Make a database of version 3 with runs of one millisecond and of others, some with labels."""
    upgrade(connection, to="0003")
    connection.execute(_PROJECT)
    ids = Ids()
    for number, at in enumerate((NOW, NOW, NOW, NOW - timedelta(days=40))):
        run_id = ids.new("run", at)
        connection.execute(_RUN, {"id": run_id, "spec": SPEC % ""})
        connection.execute(
            text("UPDATE runs SET search_text = :text, trigger = :trigger WHERE id = :id"),
            {"id": run_id, "text": f"name {number}\nmain.py", "trigger": "cron" if number % 2 else "manual"},
        )
        label = {"id": run_id, "value": "ml" if number else "data"}
        connection.execute(
            text(
                "INSERT INTO run_labels (run_id, key, value, project) VALUES (:id, 'team', :value, 'prj_1')"
            ),
            label,
        )


async def test_what_was_there_before_the_index_of_texts_is_in_it(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "_LOOK", 1)
    async with opened(empty) as (database, _):
        async with database._writer.begin() as connection:
            await connection.run_sync(fill_before_search)
        await database.migrate()
        for query, names in (
            (RunQuery(project="prj_1", text="name"), [2, 1, 0, 3]),
            (RunQuery(project="prj_1", text="name 3"), [3]),
            (RunQuery(project="prj_1", text="name", labels={"team": "ml"}), [2, 1, 3]),
            (RunQuery(project="prj_1", labels={"team": "ml"}, trigger="cron"), [1, 3]),
            (RunQuery(project="prj_1", status=RunStatus.SUCCEEDED, trigger="manual"), [2, 0]),
            (RunQuery(project="prj_1", status=RunStatus.FAILED, trigger="manual"), []),
        ):
            async with database.reading() as session:
                found = await run_list.page(session, query)
                texts = [
                    await session.scalar(select(RunRow.search_text).where(RunRow.id == id_)) for id_ in found
                ]
            assert texts == [f"name {number}\nmain.py" for number in names], query


PROBLEM = (
    '{"fingerprint": "f", "type": "ValueError", "message": "no", "first_seen": "2026-10-30T12:00:00Z", '
    '"last_seen": "2026-10-30T12:00:00Z", "attempt": 1, "frames": [], "causes": []}'
)


def fill_before_processes(connection: Connection) -> None:
    """Make a database of version 4 with the problem that ended a run."""
    upgrade(connection, to="0004")
    connection.execute(_PROJECT)
    connection.execute(_RUN, {"id": "run_1", "spec": SPEC % ""})
    connection.execute(
        text("INSERT INTO problems VALUES ('run_1', 1, 'f', :problem, 3, :at, :at)"),
        {
            "problem": PROBLEM,
            "at": ENDED if connection.dialect.name == "sqlite" else datetime.fromisoformat(ENDED),
        },
    )


async def test_a_problem_from_before_processes_reported_theirs_is_still_there(empty: str) -> None:
    async with opened(empty) as (database, stores):
        async with database._writer.begin() as connection:
            await connection.run_sync(fill_before_processes)
        await database.migrate()
        (found,) = await stores.problems.problems("run_1")
        assert (found.type, found.message, found.count) == ("ValueError", "no", 3)
        assert found.first_seen == found.last_seen == datetime.fromisoformat(ENDED)
        assert await stores.problems.samples("run_1", "f") == []
