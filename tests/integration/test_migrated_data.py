"""What the migrations make of a database that has something in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import NOW
from postgres_server import PostgresServer
from sqlalchemy import Connection, text
from stores import opened

from daftray.adapters.db.migrate import upgrade

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
