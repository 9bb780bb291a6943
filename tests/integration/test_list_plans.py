"""No list reads through a table: every statement of a list follows an index, as the database itself says.

How long that takes is measured by ``bench/listing.py``, with a million runs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from factories import at
from sqlalchemy import event, text
from stores import emptied_stores, opened

from daftray.adapters.db import Database, run_list
from daftray.adapters.db.seeding import seed
from daftray.domain.ports import RunQuery
from daftray.domain.status import RunStatus

RUNS = 3000
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "cursor": {"before": "run_01m"},
    "status": {"status": RunStatus.FAILED},
    "a status that none has": {"status": RunStatus.RUNNING, "before": "run_01m"},
    "trigger": {"trigger": "cron"},
    "task": {"task": "tsk_seed_score"},
    "task of none": {"task": "tsk_none", "before": "run_01m"},
    "task and status": {"task": "tsk_seed_score", "status": RunStatus.FAILED},
    "task and text": {"task": "tsk_seed_score", "text": "nowhere"},
    "label": {"labels": {"team": "ml"}},
    "labels": {"labels": {"team": "ml", "env": "prod", "pipeline": "score"}},
    "labels that never meet": {"labels": {"team": "data", "pipeline": "embed"}},
    "status and trigger": {"status": RunStatus.CANCELLED, "trigger": "webhook"},
    "status and label": {"status": RunStatus.FAILED, "labels": {"team": "data"}},
    "all of them": {"status": RunStatus.FAILED, "trigger": "cron", "labels": {"team": "ml"}, "text": "score"},
    "time": {"created_after": at(-9e6), "created_before": at(9e6)},
    "time and status": {"created_before": at(0), "status": RunStatus.FAILED},
    "frequent text": {"text": "score"},
    "text of old runs": {"text": "load_v1"},
    "text of none": {"text": "nowhere"},
    "short text": {"text": "ж"},
    "text and label": {"text": "nightly", "labels": {"team": "ml"}},
    "text and time": {"text": "load_v1", "created_after": at(-9e6)},
    "text and cursor": {"text": "0a1", "before": "run_01m"},
}


READS_THROUGH = re.compile(
    r"^SCAN (runs|run_labels|run_texts)(_\d+)?\b"
    r"|USE TEMP B-TREE FOR ORDER BY"
    r"|Seq Scan on (runs|run_labels|run_texts)\b"
)
"""What a plan says of reading a whole table, or of sorting what a stream has in order."""


class Asked:
    """What a database was asked, and how it means to find that."""

    def __init__(self, database: Database, project: str) -> None:
        self.database = database
        self.project = project
        self._statements: list[tuple[str, Any]] = []
        event.listen(database._engine.sync_engine, "before_cursor_execute", self._note)

    def _note(
        self, _connection: object, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        self._statements.append((statement, parameters))

    async def plans(self, query: dict[str, Any]) -> list[list[str]]:
        """Return the plan of each statement of a list, line by line."""
        async with self.database.reading() as session:
            self._statements.clear()
            await run_list.page(session, RunQuery(project=self.project, **query))
            asked = [one for one in self._statements if "SELECT" in one[0]]
            connection = await session.connection()
            sqlite = connection.dialect.name == "sqlite"
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            return [
                [str(line[-1]) for line in await connection.exec_driver_sql(explain + statement, parameters)]
                for statement, parameters in asked
            ]


@pytest.fixture(scope="module", params=["sqlite", "sqlite that was analysed", "postgres"])
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with some thousand runs."""
    url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'daftray.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("migrated_postgres")
    asyncio.run(_seed(url, analysed="analysed" in request.param))
    return url


async def _seed(url: str, *, analysed: bool) -> None:
    async with opened(url) as (database, _):
        await database.migrate()
        if "postgres" in url:
            async with emptied_stores(url):
                pass
        await seed(database, RUNS, tell=lambda _: None)
        if analysed:
            async with database.writing() as session:
                await session.execute(text("ANALYZE"))


@pytest.fixture
async def asked(seeded: str) -> AsyncGenerator[Asked, None]:
    async with opened(seeded) as (database, stores):
        yield Asked(database, (await stores.projects.get("default", "seed-reviews")).id)


@pytest.mark.parametrize("look", [1, 500])
async def test_lists_follow_indexes(asked: Asked, look: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_list, "_LOOK", look)
    for name, query in FILTERS.items():
        plans = await asked.plans(query)
        assert plans, name
        for plan in plans:
            assert not [line for line in plan if READS_THROUGH.search(line)], "\n".join([name, *plan])


async def test_what_reads_through_a_table_would_be_seen(asked: Asked) -> None:
    async with asked.database.reading() as session:
        connection = await session.connection()
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        for statement in (
            "SELECT id FROM runs WHERE waiting_for = 'x' LIMIT 1",
            "SELECT text FROM run_texts",
        ):
            plan = await connection.exec_driver_sql(f"{explain} {statement}")
            assert any(READS_THROUGH.search(line[-1]) for line in plan), statement
