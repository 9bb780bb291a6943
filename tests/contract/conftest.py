"""Every store, in memory, in SQLite and in PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from factories import a_project
from stores import Stores, emptied_stores, memory_stores, opened


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def stores(request: pytest.FixtureRequest) -> AsyncGenerator[Stores, None]:
    """All stores of one database, with the project ``prj_demo`` in it."""
    async with _stores(request) as found:
        await found.projects.add(a_project(id="prj_demo"))
        yield found


@asynccontextmanager
async def _stores(request: pytest.FixtureRequest) -> AsyncGenerator[Stores, None]:
    if request.param == "memory":
        yield memory_stores()
    elif request.param == "sqlite":
        migrated: Path = request.getfixturevalue("migrated_file")
        path = shutil.copy(migrated, request.getfixturevalue("tmp_path") / "daftray.db")
        async with opened(f"sqlite:///{path}") as (_, found):
            yield found
    else:
        async with emptied_stores(request.getfixturevalue("migrated_postgres")) as found:
            yield found
