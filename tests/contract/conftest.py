"""Every store, in memory and in SQLite. Another database joins by one more parameter here."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from factories import a_project
from stores import Stores, memory_stores, sqlite_stores


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once: a copy is quicker than the migrations."""
    path = tmp_path_factory.mktemp("template") / "daftray.db"

    async def make() -> None:
        async with sqlite_stores(path):
            pass

    asyncio.run(make())
    return path


@pytest.fixture(params=["memory", "sqlite"])
async def stores(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path
) -> AsyncGenerator[Stores, None]:
    """All stores of one database, with the project ``prj_demo`` in it."""
    if request.param == "memory":
        found = memory_stores()
        await found.projects.add(a_project(id="prj_demo"))
        yield found
        return
    path = shutil.copy(migrated_file, tmp_path / "daftray.db")
    async with sqlite_stores(Path(path)) as found:
        await found.projects.add(a_project(id="prj_demo"))
        yield found
