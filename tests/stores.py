"""All the stores of one database, whichever it is, as tests take them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes import InMemoryStores

from daftray.adapters.db import (
    Database,
    SqlKeyStore,
    SqlProjectStore,
    SqlReportStore,
    SqlRunStore,
    SqlSecretStore,
)
from daftray.domain.ports import KeyStore, ProjectStore, ReportStore, RunStore, SecretStore


@dataclass(frozen=True, kw_only=True)
class Stores:
    projects: ProjectStore
    runs: RunStore
    secrets: SecretStore
    keys: KeyStore
    reports: ReportStore


def memory_stores() -> Stores:
    memory = InMemoryStores()
    return Stores(
        projects=memory.projects,
        runs=memory.runs,
        secrets=memory.secrets,
        keys=memory.keys,
        reports=memory.reports,
    )


def stores_of(database: Database) -> Stores:
    return Stores(
        projects=SqlProjectStore(database),
        runs=SqlRunStore(database),
        secrets=SqlSecretStore(database),
        keys=SqlKeyStore(database),
        reports=SqlReportStore(database),
    )


@asynccontextmanager
async def sqlite_stores(path: Path) -> AsyncGenerator[Stores, None]:
    """Open a SQLite file, migrate it where that is needed, and close it at the end."""
    database = Database(f"sqlite:///{path}")
    await database.open()
    try:
        await database.migrate()
        yield stores_of(database)
    finally:
        await database.close()
