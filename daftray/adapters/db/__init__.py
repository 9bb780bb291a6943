"""The database: SQLAlchemy's only home. SQLite by default; PostgreSQL by URL."""

from daftray.adapters.db.audit import SqlAuditStore
from daftray.adapters.db.blob_owners import SqlBlobOwners
from daftray.adapters.db.connections import SqlConnectionStore
from daftray.adapters.db.database import Database
from daftray.adapters.db.devices import SqlDeviceStore
from daftray.adapters.db.integrations import SqlIntegrationStore
from daftray.adapters.db.keys import SqlKeyStore
from daftray.adapters.db.master_keys import SqlMasterKeyStore
from daftray.adapters.db.memberships import SqlMembershipStore
from daftray.adapters.db.prices import SqlPriceStore
from daftray.adapters.db.problems import SqlProblemStore
from daftray.adapters.db.projects import SqlProjectStore
from daftray.adapters.db.reports import SqlReportStore
from daftray.adapters.db.retention import SqlRetentionStore
from daftray.adapters.db.run_store import SqlRunStore
from daftray.adapters.db.secrets import SqlSecretStore
from daftray.adapters.db.sessions import SqlSessionStore
from daftray.adapters.db.submitted_jobs import SqlSubmittedJobs
from daftray.adapters.db.tallies import SqlTallyStore
from daftray.adapters.db.tasks import SqlTaskStore
from daftray.adapters.db.token_families import SqlTokenFamilyStore
from daftray.adapters.db.users import SqlUserStore
from daftray.adapters.db.workspaces import SqlWorkspaceStore

__all__ = [
    "Database",
    "SqlAuditStore",
    "SqlBlobOwners",
    "SqlConnectionStore",
    "SqlDeviceStore",
    "SqlIntegrationStore",
    "SqlKeyStore",
    "SqlMasterKeyStore",
    "SqlMembershipStore",
    "SqlPriceStore",
    "SqlProblemStore",
    "SqlProjectStore",
    "SqlReportStore",
    "SqlRetentionStore",
    "SqlRunStore",
    "SqlSecretStore",
    "SqlSessionStore",
    "SqlSubmittedJobs",
    "SqlTallyStore",
    "SqlTaskStore",
    "SqlTokenFamilyStore",
    "SqlUserStore",
    "SqlWorkspaceStore",
]
