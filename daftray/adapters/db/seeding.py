"""A database full of made-up runs that have ended, for measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.rows import ProjectRow, RunRow
from daftray.adapters.db.seed_patterns import TABLES, Rows
from daftray.adapters.db.seed_pipelines import PIPELINES
from daftray.adapters.db.seed_runs import batches
from daftray.adapters.db.seed_walks import remote_of
from daftray.domain.errors import ConflictError
from daftray.domain.ids import Ids
from daftray.domain.project import DEFAULT_WORKSPACE, GitRemote, Project, ProjectSource

_INDEX_OF_TEXTS = "ix_run_texts_grams"
"""PostgreSQL's."""
_TRIGGER_OF_TEXTS = "run_search_add"
"""SQLite's, which keeps its index of texts."""
_CACHE_KIB = 256 * 1024

Tell = Callable[[int], None]


async def seed(database: Database, runs: int, *, tell: Tell) -> None:
    """Add so many runs to a migrated database; nobody else may use it meanwhile.

    ``tell`` hears again and again how many there are.

    Raises:
        ConflictError: the database has runs that were not made up.
    """
    async with database.writing() as session:
        await _refuse_real_runs(session)
        now = await database.now(session)
        there = await session.scalar(select(func.count()).select_from(RunRow)) or 0
        projects = await _projects(session, now)
    async with database.patient() as connection:
        rows = batches(projects, connection.dialect, runs, now=now, chance=there)
        if connection.dialect.name == "sqlite":
            await _fill_sqlite(connection, rows, tell)
        else:
            await _fill_postgres(connection, rows, tell)


async def _refuse_real_runs(session: AsyncSession) -> None:
    made_up = [_source(name) for name in _names()]
    for project_id, source in await session.execute(select(ProjectRow.id, ProjectRow.source)):
        runs = select(RunRow.id).where(RunRow.project == project_id).limit(1)
        if source not in made_up and await session.scalar(runs) is not None:
            raise ConflictError("This database has runs that were not made up: choose another one.")


async def _projects(session: AsyncSession, now: datetime) -> dict[str, str]:
    """Return the ids of the projects by their names in the pipelines; make those that are not there."""
    found: dict[str, str] = {}
    ids = Ids()
    for name in _names():
        project = Project(
            id=ids.new("prj", now),
            workspace=DEFAULT_WORKSPACE,
            name=f"seed-{name}",
            source=_source(name),
            created_at=now,
        )
        await session.execute(insert(session, ProjectRow).values(asdict(project)).on_conflict_do_nothing())
        of_name = (ProjectRow.workspace == project.workspace, ProjectRow.name == project.name)
        found[name] = (await session.scalars(select(ProjectRow.id).where(*of_name))).one()
    return found


def _names() -> list[str]:
    return sorted({pipeline.project for pipeline in PIPELINES})


def _source(name: str) -> ProjectSource:
    return ProjectSource(git=GitRemote(remote=remote_of(name)))


async def _fill_sqlite(connection: AsyncConnection, batches_: Iterable[Rows], tell: Tell) -> None:
    """Write a batch at a time, and its texts into their index by one statement, which is much quicker."""
    driver = await _driver(connection)
    # Outside of a transaction, where alone the second means something. All that is written fits together.
    for setting in (f"cache_size=-{_CACHE_KIB}", "foreign_keys=OFF"):
        await (await driver.execute(f"PRAGMA {setting}")).close()
    trigger = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
    last = text("SELECT coalesce(max(number), 0) FROM run_texts")
    index = text(
        "INSERT INTO run_search(rowid, text, facts) "
        "SELECT number, text, facts FROM run_texts WHERE number > :last"
    )
    written = 0
    for rows in batches_:
        async with connection.begin():
            keep_index = (await connection.execute(trigger, {"name": _TRIGGER_OF_TEXTS})).scalar_one()
            before = (await connection.execute(last)).scalar_one()
            await connection.exec_driver_sql(f"DROP TRIGGER {_TRIGGER_OF_TEXTS}")
            await _insert(connection, rows)
            await connection.execute(index, {"last": before})
            await connection.exec_driver_sql(keep_index)
        written += len(rows["runs"])
        tell(written)


async def _insert(connection: AsyncConnection, rows: Rows) -> None:
    driver = await _driver(connection)
    for table, columns in TABLES.items():
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 (names of ours)
        await (await driver.executemany(statement, rows[table])).close()


async def _fill_postgres(connection: AsyncConnection, batches_: Iterable[Rows], tell: Tell) -> None:
    """Write all in one transaction, and make the index of texts anew at its end, which is much quicker."""
    definition = text(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexname = :name"
    )
    written = 0
    async with connection.begin():
        index = (await connection.execute(definition, {"name": _INDEX_OF_TEXTS})).scalar_one()
        await connection.exec_driver_sql(f"DROP INDEX {_INDEX_OF_TEXTS}")
        driver = await _driver(connection)
        for rows in batches_:
            for table, columns in TABLES.items():
                await driver.copy_records_to_table(table, records=rows[table], columns=columns)
            written += len(rows["runs"])
            tell(written)
        await connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        await connection.exec_driver_sql(index)
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    await connection.exec_driver_sql(f"VACUUM (ANALYZE) {', '.join((*TABLES, 'run_texts'))}")


async def _driver(connection: AsyncConnection) -> Any:  # Any: aiosqlite's or asyncpg's connection
    return (await connection.get_raw_connection()).driver_connection
