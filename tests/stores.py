"""All the stores of one database, whichever it is, as tests take them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from factories import NOW, a_run, an_event
from fakes import FakeClock, InMemoryStores

from daftray.adapters.db import (
    Database,
    SqlKeyStore,
    SqlProjectStore,
    SqlReportStore,
    SqlRunStore,
    SqlSecretStore,
)
from daftray.domain.ports import (
    Claim,
    KeyStore,
    NewRun,
    ProjectStore,
    ReportStore,
    RunStore,
    SecretStore,
)
from daftray.domain.run import Run


@dataclass(frozen=True, kw_only=True)
class Stores:
    projects: ProjectStore
    runs: RunStore
    secrets: SecretStore
    keys: KeyStore
    reports: ReportStore
    clock: FakeClock
    """What tells the time to all of them."""


def memory_stores() -> Stores:
    clock = FakeClock(NOW)
    memory = InMemoryStores(clock)
    return Stores(
        projects=memory.projects,
        runs=memory.runs,
        secrets=memory.secrets,
        keys=memory.keys,
        reports=memory.reports,
        clock=clock,
    )


def stores_of(database: Database, clock: FakeClock) -> Stores:
    return Stores(
        projects=SqlProjectStore(database),
        runs=SqlRunStore(database),
        secrets=SqlSecretStore(database),
        keys=SqlKeyStore(database),
        reports=SqlReportStore(database),
        clock=clock,
    )


@asynccontextmanager
async def sqlite_stores(path: Path) -> AsyncGenerator[Stores, None]:
    """Open a SQLite file, migrate it where that is needed, and close it at the end."""
    clock = FakeClock(NOW)
    database = Database(f"sqlite:///{path}", clock=clock)
    await database.open()
    try:
        await database.migrate()
        yield stores_of(database, clock)
    finally:
        await database.close()


async def add_claimed(stores: Stores, claim: Claim, **fields: object) -> Run:
    """Add a run and claim it; return it."""
    run = a_run(**fields)
    await stores.runs.add(NewRun(run=run, event=an_event()))
    (found,) = await stores.runs.claim_due(claim, limit=1)
    return found
