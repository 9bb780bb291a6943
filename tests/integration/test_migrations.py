"""The migrations make the very tables that the code uses, from any version, also when two start at once."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from factories import a_project
from sqlalchemy import create_engine
from stores import sqlite_stores

from daftray.adapters.db import Database, migrations
from daftray.adapters.db.report_rows import CounterRow
from daftray.adapters.db.rows import Row

assert CounterRow.metadata is Row.metadata, "the import puts the reports' tables in the metadata"


@pytest.fixture
async def migrated(tmp_path: Path) -> AsyncGenerator[Path, None]:
    path = tmp_path / "new folder" / "daftray.db"
    async with sqlite_stores(path):
        yield path


def schema(path: Path) -> dict[str, object]:
    """Return a file's tables (columns, keys) and indexes. A column that came later stands last, as any may.

    A default is a migration's own, for the rows that were there.
    """
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        objects: dict[str, object] = {}
        for kind, name, sql in found.fetchall():
            if kind == "index":
                objects[name] = sql
                continue
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            keys = connection.execute(f"PRAGMA foreign_key_list({name})").fetchall()
            described = sorted((column, type_, null, key) for _, column, type_, null, _, key in columns)
            objects[name] = (described, sorted(key[2:] for key in keys))
        return objects


async def test_the_migrated_tables_are_those_of_the_code(migrated: Path, tmp_path: Path) -> None:
    declared = tmp_path / "declared.db"
    engine = create_engine(f"sqlite:///{declared}")
    Row.metadata.create_all(engine)
    engine.dispose()
    made = schema(migrated)
    del made["alembic_version"]
    assert made == schema(declared)


async def test_alembic_finds_nothing_to_do(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []
    engine.dispose()


async def test_a_second_start_changes_nothing(migrated: Path) -> None:
    before = schema(migrated)
    async with sqlite_stores(migrated) as stores:
        await stores.projects.add(a_project())
    async with sqlite_stores(migrated) as stores:
        assert len(await stores.projects.list("default", limit=9, offset=0)) == 1
    assert schema(migrated) == before


def test_there_is_one_line_of_versions() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


async def test_the_file_is_set_up_for_readers_beside_a_writer(migrated: Path) -> None:
    with closing(sqlite3.connect(migrated)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


START = """
import asyncio, sys
from daftray.adapters.db import Database, migrations

async def main():
    database = Database(f"sqlite:///{sys.argv[1]}")
    print("ready", flush=True)
    sys.stdin.readline()
    await database.open()
    await database.migrate()
    await database.close()

asyncio.run(main())
"""


def test_servers_that_start_at_once_all_come_up(tmp_path: Path) -> None:
    path = tmp_path / "daftray.db"
    servers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for server in servers:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    errors = [server.communicate(timeout=60)[1] for server in servers]
    assert errors == ["", "", "", ""]
    assert "runs" in schema(path)


async def test_a_migration_that_dies_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/daftray.db")
    await database.open()
    monkeypatch.setattr("alembic.op.create_index", _fail)
    with pytest.raises(ZeroDivisionError):
        await database.migrate()
    assert schema(tmp_path / "daftray.db") == {}
    monkeypatch.undo()
    await asyncio.wait_for(database.migrate(), 30)
    assert "runs" in schema(tmp_path / "daftray.db")
    await database.close()


def _fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError
