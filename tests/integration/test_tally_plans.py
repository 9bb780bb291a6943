"""A scrape looks at no run that has ended: its statements follow the index of live runs, say the databases.

How long it takes with a million runs stands in ``docs/benchmarks.md``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from stores import emptied_stores, opened

from daftray.adapters.db import Database, SqlTallyStore
from daftray.adapters.db.seeding import seed

RUNS = 3000
READS_ENDED_RUNS = re.compile(
    r"^(SCAN|SEARCH) runs\b(?!.*\bix_runs_live_)"  # SQLite
    r"|Seq Scan on runs\b"  # PostgreSQL
)


@pytest.fixture(params=["sqlite", "sqlite that was analysed", "postgres"])
async def seeded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Database, None]:
    url = f"sqlite:///{tmp_path / 'daftray.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("migrated_postgres")
        async with emptied_stores(url):
            pass
    async with opened(url) as (database, _):
        await database.migrate()
        await seed(database, RUNS, tell=lambda _: None)
        if "sqlite" not in request.param or "analysed" in request.param:
            async with database.writing() as session:
                await session.execute(text("ANALYZE"))
        yield database


async def test_a_scrape_reads_no_run_that_has_ended(seeded: Database) -> None:
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(seeded._engine.sync_engine, "before_cursor_execute", note)
    await SqlTallyStore(seeded).read()
    event.remove(seeded._engine.sync_engine, "before_cursor_execute", note)
    of_runs = [one for one in statements if "FROM runs" in one[0]]
    assert len(of_runs) == 3
    async with seeded.reading() as session:
        connection = await session.connection()
        explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        for statement, parameters in of_runs:
            lines = await connection.exec_driver_sql(explain + statement, parameters)
            plan = [str(line[-1]).strip() for line in lines]
            assert not [line for line in plan if READS_ENDED_RUNS.search(line)], "\n".join(plan)
        through = "SELECT usage FROM runs WHERE usage IS NOT NULL"
        plan = [str(line[-1]).strip() for line in await connection.exec_driver_sql(explain + through)]
        assert any(READS_ENDED_RUNS.search(line) for line in plan), "else it sees nothing"
