"""All the stores of one database, whichever it is, as tests take them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from factories import NOW, a_run, an_event
from fakes import FakeClock, InMemoryStores
from sqlalchemy import text

from daftray.adapters.db import (
    Database,
    SqlAuditStore,
    SqlBlobOwners,
    SqlConnectionStore,
    SqlIntegrationStore,
    SqlKeyStore,
    SqlMasterKeyStore,
    SqlMembershipStore,
    SqlPriceStore,
    SqlProblemStore,
    SqlProjectStore,
    SqlReportStore,
    SqlRetentionStore,
    SqlRunStore,
    SqlSecretStore,
    SqlSubmittedJobs,
    SqlTallyStore,
    SqlTaskStore,
    SqlUserStore,
    SqlWorkspaceStore,
)
from daftray.adapters.db.report_rows import CounterRow
from daftray.adapters.db.rows import Row
from daftray.domain.ports import (
    AuditStore,
    BlobOwners,
    Claim,
    ConnectionStore,
    IntegrationStore,
    KeyStore,
    MasterKeyStore,
    MembershipStore,
    NewRun,
    PriceStore,
    ProblemStore,
    ProjectStore,
    ReportStore,
    RetentionStore,
    RunStore,
    SecretStore,
    SubmittedJobs,
    TallyStore,
    TaskStore,
    UserStore,
    WorkspaceStore,
)
from daftray.domain.run import Run

assert CounterRow.metadata is Row.metadata, "the import puts the reports' tables in the metadata"

_FIRST_WORKSPACE = "INSERT INTO workspaces VALUES ('default', 'default', '1970-01-01T00:00:00Z');"
"""What the migrations put into a new database."""


@dataclass(frozen=True, kw_only=True)
class Stores:
    projects: ProjectStore
    runs: RunStore
    secrets: SecretStore
    master_keys: MasterKeyStore
    keys: KeyStore
    workspaces: WorkspaceStore
    users: UserStore
    audit: AuditStore
    memberships: MembershipStore
    reports: ReportStore
    problems: ProblemStore
    prices: PriceStore
    connections: ConnectionStore
    tallies: TallyStore
    tasks: TaskStore
    integrations: IntegrationStore
    retention: RetentionStore
    owners: BlobOwners
    submitted: SubmittedJobs
    clock: FakeClock
    """What tells the time to all of them."""


def memory_stores() -> Stores:
    clock = FakeClock(NOW)
    memory = InMemoryStores(clock)
    return Stores(
        projects=memory.projects,
        runs=memory.runs,
        secrets=memory.secrets,
        master_keys=memory.master_keys,
        keys=memory.keys,
        workspaces=memory.workspaces,
        users=memory.users,
        audit=memory.audit,
        memberships=memory.memberships,
        reports=memory.reports,
        problems=memory.problems,
        prices=memory.prices,
        connections=memory.connections,
        tallies=memory.tallies,
        tasks=memory.tasks,
        integrations=memory.integrations,
        retention=memory.retention,
        owners=memory.owners,
        submitted=memory.submitted,
        clock=clock,
    )


def stores_of(database: Database, clock: FakeClock) -> Stores:
    return Stores(
        projects=SqlProjectStore(database),
        runs=SqlRunStore(database),
        secrets=SqlSecretStore(database),
        master_keys=SqlMasterKeyStore(database),
        keys=SqlKeyStore(database),
        workspaces=SqlWorkspaceStore(database),
        users=SqlUserStore(database),
        audit=SqlAuditStore(database),
        memberships=SqlMembershipStore(database),
        reports=SqlReportStore(database),
        problems=SqlProblemStore(database),
        prices=SqlPriceStore(database),
        connections=SqlConnectionStore(database),
        tallies=SqlTallyStore(database),
        tasks=SqlTaskStore(database),
        integrations=SqlIntegrationStore(database),
        retention=SqlRetentionStore(database),
        owners=SqlBlobOwners(database),
        submitted=SqlSubmittedJobs(database),
        clock=clock,
    )


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[tuple[Database, Stores], None]:
    """Open a database, and close it at the end."""
    clock = FakeClock(NOW)
    database = Database(url, clock=clock)
    try:
        await database.open()
        yield database, stores_of(database, clock)
    finally:
        await database.close()


@asynccontextmanager
async def migrated_stores(url: str) -> AsyncGenerator[Stores, None]:
    """Open a database, migrate it where that is needed, and close it at the end."""
    async with opened(url) as (database, stores):
        await database.migrate()
        yield stores


def sqlite_stores(path: Path) -> AbstractAsyncContextManager[Stores]:
    """Open a SQLite file, migrate it where that is needed, and close it at the end."""
    return migrated_stores(f"sqlite:///{path}")


@asynccontextmanager
async def emptied_stores(url: str) -> AsyncGenerator[Stores, None]:
    """Open a migrated PostgreSQL database and take everything out: much quicker than to make a new one."""
    tables = reversed(Row.metadata.sorted_tables)
    deletes = " ".join(f"DELETE FROM {table.name};" for table in tables)  # noqa: S608 (names of ours)
    async with opened(url) as (database, stores):
        async with database.writing() as session:
            await session.execute(text(f"DO $$ BEGIN {deletes} {_FIRST_WORKSPACE} END $$"))
        yield stores


async def add_claimed(stores: Stores, claim: Claim, **fields: object) -> Run:
    """Add a run and claim it; return it."""
    run = a_run(**fields)
    await stores.runs.add(NewRun(run=run, event=an_event()))
    (found,) = await stores.runs.claim_due(claim, limit=1)
    return found
