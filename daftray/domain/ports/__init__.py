"""What the use cases need of the outside world. Adapters implement these; fakes do too, under the same tests.

Every call that can touch a network or a disk is async, has a time limit of its own, and raises only the
errors of ``domain/errors.py``.
"""

from daftray.domain.ports.clock import Clock
from daftray.domain.ports.cluster import RayJobs
from daftray.domain.ports.connections import ConnectionStore
from daftray.domain.ports.github import InstallationTokens
from daftray.domain.ports.identity import (
    AuditStore,
    KeyStore,
    MembershipStore,
    Passwords,
    UserStore,
    WorkspaceStore,
)
from daftray.domain.ports.integrations import IntegrationStore
from daftray.domain.ports.notices import Notice, NoticeKind, Notices
from daftray.domain.ports.openid import OpenIdProvider
from daftray.domain.ports.prices import PriceStore
from daftray.domain.ports.problems import ProblemStore
from daftray.domain.ports.retention import BlobOwners, MirrorCache, RetentionStore, SubmittedJobs
from daftray.domain.ports.runs import Claim, NewRun, RunQuery, RunStore
from daftray.domain.ports.secrets import MasterKeyStore, SecretStore, Vault
from daftray.domain.ports.sources import (
    ChangedFile,
    GitMirrors,
    GitRepository,
    Packages,
    SourceChanges,
    TreeFile,
)
from daftray.domain.ports.stores import (
    BlobInfo,
    BlobStore,
    Pinged,
    ProjectStore,
    ReportStore,
)
from daftray.domain.ports.tallies import TallyStore
from daftray.domain.ports.tasks import TaskStore

__all__ = [
    "AuditStore",
    "BlobInfo",
    "BlobOwners",
    "BlobStore",
    "ChangedFile",
    "Claim",
    "Clock",
    "ConnectionStore",
    "GitMirrors",
    "GitRepository",
    "InstallationTokens",
    "IntegrationStore",
    "KeyStore",
    "MasterKeyStore",
    "MembershipStore",
    "MirrorCache",
    "NewRun",
    "Notice",
    "NoticeKind",
    "Notices",
    "OpenIdProvider",
    "Packages",
    "Passwords",
    "Pinged",
    "PriceStore",
    "ProblemStore",
    "ProjectStore",
    "RayJobs",
    "ReportStore",
    "RetentionStore",
    "RunQuery",
    "RunStore",
    "SecretStore",
    "SourceChanges",
    "SubmittedJobs",
    "TallyStore",
    "TaskStore",
    "TreeFile",
    "UserStore",
    "Vault",
    "WorkspaceStore",
]
