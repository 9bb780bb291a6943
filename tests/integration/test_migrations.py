"""The migrations make the very tables that the code uses, on each database, also when four start at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from factories import a_project
from postgres_server import PostgresServer
from sqlalchemy import Connection, text
from stores import migrated_stores, opened

from daftray.adapters.db import Database, migrations
from daftray.adapters.db.rows import Row

Answer = TypeVar("Answer")


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def empty(kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database with nothing in it."""
    yield from _empty(kind, request, "empty_one")


@pytest.fixture
def declared(kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of another one, for the tables as the code declares them."""
    yield from _empty(kind, request, "declared_one")


def _empty(kind: str, request: pytest.FixtureRequest, name: str) -> Iterator[str]:
    if kind == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        yield f"sqlite:///{folder / 'new folder' / name}.db"
        return
    # A schema of its own is as good as a database, and made in no time.
    server: PostgresServer = request.getfixturevalue("postgres")
    request.getfixturevalue("migrated_postgres")
    asyncio.run(_ask(server, f"CREATE SCHEMA {name}"))
    yield f"{server.url('migrated')}&search_path={name}"
    asyncio.run(_ask(server, f"DROP SCHEMA {name} CASCADE"))


async def _ask(server: PostgresServer, statement: str) -> None:
    async with server.asked("migrated") as connection:
        await connection.execute(statement)


@pytest.fixture
async def migrated(empty: str) -> AsyncGenerator[str, None]:
    async with migrated_stores(empty):
        yield empty


async def within(url: str, work: Callable[[Connection], Answer]) -> Answer:
    """Do something in a transaction of SQLAlchemy's own kind."""
    async with opened(url) as (database, _), database._writer.begin() as connection:
        return await connection.run_sync(work)


# Columns may be in any order, and a default is a migration's own, for the rows that were there.
_SCHEMA = {
    "sqlite": """
        SELECT t.name || '.' || c.name, c.type || c."notnull" || c.pk
        FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'
        UNION ALL
        SELECT t.name || '.' || k."from" || '*', k."table" || k."to" || k.on_delete
        FROM sqlite_master t, pragma_foreign_key_list(t.name) k
        UNION ALL
        SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    """,
    "postgresql": """
        SELECT concat(t.relname, '.', attname),
               concat_ws(' ', format_type(atttypid, atttypmod), collname, attnotnull, attidentity)
        FROM pg_class t JOIN pg_attribute ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped
             LEFT JOIN pg_collation l ON l.oid = attcollation
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT concat(conrelid::regclass, ' ', conname), pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
        UNION ALL
        SELECT indexname, replace(indexdef, current_schema() || '.', '')
        FROM pg_indexes WHERE schemaname = current_schema()
    """,
}


NOT_THE_CODES = ("alembic_version", "run_texts", "run_search")
"""What Alembic notes its version in, and the index of texts, which only the database writes."""


def _schema(connection: Connection) -> dict[str, str]:
    found = connection.execute(text(_SCHEMA[connection.dialect.name]))
    return {name: made for name, made in found if not any(other in name for other in NOT_THE_CODES)}


async def schema(url: str) -> dict[str, str]:
    """Return everything that makes a database's tables what they are: columns, keys, indexes."""
    return await within(url, _schema)


async def test_the_migrated_tables_are_those_of_the_code(migrated: str, declared: str) -> None:
    async with opened(declared):  # makes a file's folder
        pass
    await within(declared, Row.metadata.create_all)
    assert await schema(migrated) == await schema(declared)


async def test_alembic_finds_nothing_to_do(migrated: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        opts = {
            "compare_type": True,
            "include_name": lambda name, *_: not str(name).startswith(NOT_THE_CODES),
        }
        context = MigrationContext.configure(connection, opts=opts)
        return compare_metadata(context, Row.metadata)

    assert await within(migrated, differences) == []


async def test_a_second_start_changes_nothing(migrated: str) -> None:
    before = await schema(migrated)
    async with migrated_stores(migrated) as stores:
        await stores.projects.add(a_project())
    async with migrated_stores(migrated) as stores:
        assert len(await stores.projects.list("default", limit=9, offset=0)) == 1
    assert await schema(migrated) == before


def test_there_is_one_line_of_versions() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


START = """
import asyncio, sys
from daftray.adapters.db import Database, migrations

async def main():
    database = Database(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    await database.open()
    await database.migrate()
    await database.close()

asyncio.run(main())
"""


def test_servers_that_start_at_once_all_come_up(empty: str) -> None:
    servers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, empty],
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
    assert any("runs" in name for name in asyncio.run(schema(empty)))


async def test_a_migration_that_dies_leaves_nothing(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(empty)
    await database.open()
    monkeypatch.setattr("alembic.op.create_index", _fail)
    with pytest.raises(ZeroDivisionError):
        await database.migrate()
    assert await schema(empty) == {}
    monkeypatch.undo()
    await asyncio.wait_for(database.migrate(), 30)
    assert any("runs" in name for name in await schema(empty))
    await database.close()


def _fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError
