"""All the stores of one database, whichever it is, as tests take them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from factories import a_run, an_event
from fakes import InMemoryStores

from daftray.adapters.db import (
    Database,
    SqlKeyStore,
    SqlProjectStore,
    SqlReportStore,
    SqlRunStore,
    SqlSecretStore,
)
from daftray.domain.ports import Claim, KeyStore, ProjectStore, ReportStore, RunStore, SecretStore
from daftray.domain.run import Run


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


async def add_claimed(stores: Stores, claim: Claim, **fields: object) -> Run:
    """Add a run and claim it; return it."""
    run = a_run(**fields)
    await stores.runs.add(run, an_event())
    (found,) = await stores.runs.claim_due(claim, now=run.created_at, limit=1)
    return found
