"""What only PostgreSQL does: connections that end, logins that it refuses, and details that name values."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from factories import a_project, a_run, a_secret, new
from postgres_server import PostgresServer
from sqlalchemy import text
from stores import Stores, emptied_stores, opened

from daftray.adapters.db import Database
from daftray.adapters.db.errors import DatabaseRefusedError
from daftray.domain.errors import DaftrayError, InvalidInputError, StoreUnavailableError

VALUE = "a-value"
LOGIN = "daftray_test"
PASSWORD = "p@ss/w:rd?#%"


@pytest.fixture
async def stores(migrated_postgres: str) -> AsyncGenerator[Stores, None]:
    async with emptied_stores(migrated_postgres) as found:
        await found.projects.add(a_project(id="prj_demo"))
        yield found


@pytest.fixture(scope="module")
def login(postgres: PostgresServer) -> str:
    """The address of a user that needs a password."""

    async def make() -> None:
        async with postgres.asked("migrated") as connection:
            await connection.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}'")

    asyncio.run(make())
    return postgres.url("migrated", user=LOGIN, password=PASSWORD)


async def end_connections(postgres: PostgresServer, *, state: str = "%") -> None:
    """End daftray's connections that are in that state (`LIKE`), as a restart of PostgreSQL does."""
    async with postgres.asked() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'daftray' AND state LIKE $1",
            state,
        )


async def test_connections_that_ended_are_replaced_unseen(postgres: PostgresServer, stores: Stores) -> None:
    for _ in range(3):
        await end_connections(postgres)
        await asyncio.sleep(0)  # lets the driver hear of it
        assert (await stores.projects.by_id("prj_demo")).id == "prj_demo"


async def test_a_connection_that_ends_in_use_is_an_error_to_try_again(
    postgres: PostgresServer, stores: Stores
) -> None:
    run = a_run()
    async with opened(postgres.url("migrated")) as (database, others):

        async def write() -> None:
            async with database.writing() as session:
                await session.execute(text("SELECT 1"))
                await end_connections(postgres, state="idle in transaction")
                await session.execute(text("SELECT 1"))

        with pytest.raises(StoreUnavailableError) as caught:
            await write()
        assert caught.value.retryable
        await others.runs.add(new(run))
    assert (await stores.runs.get(run.id)).id == run.id


async def test_of_writers_that_wait_for_each_other_one_is_told_to_try_again(
    stores: Stores, migrated_postgres: str
) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    both = asyncio.Barrier(2)

    async def change(database: Database, first: str, second: str) -> None:
        lock = text("SELECT id FROM projects WHERE id = :id FOR UPDATE")
        async with database.writing() as session:
            await session.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            await session.execute(lock, {"id": first})
            await both.wait()
            await session.execute(lock, {"id": second})

    async with opened(migrated_postgres) as (database, _):
        ends = await asyncio.gather(
            change(database, "prj_demo", "prj_other"),
            change(database, "prj_other", "prj_demo"),
            return_exceptions=True,
        )
    (error,) = (end for end in ends if end is not None)
    assert isinstance(error, StoreUnavailableError)


async def test_nothing_is_written_by_who_said_it_would_read(migrated_postgres: str) -> None:
    async with opened(migrated_postgres) as (database, _):
        with pytest.raises(DaftrayError):
            async with database.reading() as session:
                await session.execute(text("DELETE FROM secrets"))


async def test_a_user_with_a_password_of_odd_characters_gets_in(login: str) -> None:
    async with opened(login):
        pass


@pytest.mark.parametrize(
    ("change", "to"),
    [("%25@", "wrong@"), (f"{LOGIN}:", "nobody-knows:"), ("/migrated", "/nowhere")],
    ids=["password", "user", "database"],
)
async def test_a_login_that_postgresql_refuses_is_no_error_to_try_again(
    login: str, change: str, to: str
) -> None:
    assert change in login
    with pytest.raises(DatabaseRefusedError) as caught:
        async with opened(login.replace(change, to)):
            pass
    shown = "".join(traceback.format_exception(caught.value))
    assert "DAFTRAY_DATABASE_URL" in str(caught.value)
    assert "p@ss" not in shown
    assert "p%40ss" not in shown


@pytest.mark.parametrize(
    "url",
    ["postgresql://x@127.0.0.1:1/none", "postgresql://x@/none?host=/nowhere", "postgres://nowhere.invalid"],
)
async def test_a_server_that_is_not_there_is_an_error_to_try_again(url: str) -> None:
    with pytest.raises(StoreUnavailableError):
        async with opened(url):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:hunter2@localhost/x",
        "hunter2",
        "postgresql:hunter2",
        "postgresql://x:hunter2/3@localhost/x",
        "postgresql://x:hunter2@localhost:port/x",
    ],
)
async def test_an_address_that_cannot_be_read_is_not_shown(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        async with opened(url):
            pass
    assert "postgresql://user:password@host/name" in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(repr(url), "")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sslmode=hunter2", "verify-full"),
        ("sslmode=verify-full", "root certificate file"),
    ],
)
async def test_what_is_wrong_with_tls_is_said(
    query: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InvalidInputError, match="DAFTRAY_DATABASE_URL cannot be used") as caught:
        async with opened(f"postgresql://x:hunter2@localhost/x?{query}"):
            pass
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_what_postgresql_says_of_a_row_is_not_shown(stores: Stores, migrated_postgres: str) -> None:
    async with opened(migrated_postgres) as (database, _), database.writing() as session:
        await session.execute(text("ALTER TABLE secrets ADD CONSTRAINT none CHECK (key_id = '')"))
    try:
        with pytest.raises(DaftrayError) as caught:
            await stores.secrets.put(a_secret(key_id=VALUE))
    finally:
        async with opened(migrated_postgres) as (database, _), database.writing() as session:
            await session.execute(text("ALTER TABLE secrets DROP CONSTRAINT none"))
    shown = "".join(traceback.format_exception(caught.value))
    assert "violates check constraint" in shown
    assert VALUE not in shown


async def test_addresses_of_other_programs_are_understood(postgres: PostgresServer) -> None:
    url = postgres.url("migrated").replace("postgresql://", "postgresql+asyncpg://")
    more = "&sslmode=prefer&channel_binding=prefer&connect_timeout=3&application_name=mine"
    async with opened(url + more) as (database, _), database.reading() as session:
        assert await session.scalar(text("SHOW application_name")) == "mine"


async def test_a_server_that_hangs_keeps_no_locks(migrated_postgres: str) -> None:
    async with opened(migrated_postgres) as (database, _), database.writing() as session:
        assert await session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"


NO_DRIVER = """
import sys
sys.modules["asyncpg"] = None
from daftray.adapters.db import Database
from daftray.domain.errors import DaftrayError
try:
    Database("postgresql://nobody@127.0.0.1/none")
except DaftrayError as error:
    print(error.code, error.detail)
"""


def test_without_the_driver_the_error_names_the_extra() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", NO_DRIVER], capture_output=True, text=True, timeout=60, check=True
    )
    assert asked.stdout.startswith("driver-missing ")
    assert "daftray[server,postgres]" in asked.stdout
