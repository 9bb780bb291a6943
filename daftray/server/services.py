"""What the composition root makes, for the application to serve."""

from __future__ import annotations

from dataclasses import dataclass

from daftray.adapters.blobs.store import ObjectBlobs
from daftray.adapters.db.database import Database
from daftray.domain.ports import Clock, GitMirrors, RayJobs
from daftray.entrypoints.service import Entrypoints
from daftray.logs.archive import LogArchive
from daftray.logs.follow import LogFollower
from daftray.metrics.exposition import Exposition
from daftray.metrics.ingest import UsageIngest
from daftray.metrics.outcomes import Outcomes
from daftray.metrics.problems import Problems
from daftray.metrics.reservations import Reservations
from daftray.projects.connections import Connections
from daftray.projects.github_hooks import GithubHooks
from daftray.projects.integrations import Integrations
from daftray.projects.master_keys import MasterKeys
from daftray.projects.prices import Prices
from daftray.projects.secrets import ProjectSecrets
from daftray.projects.service import Projects
from daftray.retention.collector import Retention
from daftray.retention.janitor import Janitor
from daftray.runs.checks import Checks
from daftray.runs.clusters import Clusters
from daftray.runs.finder import RunFinder
from daftray.runs.metrics_stream import MetricsFollower
from daftray.runs.problem_ingest import ProblemIngest
from daftray.runs.reconciler import Reconciler
from daftray.runs.replicas import Replicas
from daftray.runs.reporting import Reporting
from daftray.runs.service import Runs
from daftray.runs.source_files import SourceFiles
from daftray.server.identity_wiring import IdentityServices
from daftray.tasks.service import Tasks


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that the application serves, wired."""

    clock: Clock
    database: Database
    blobs: ObjectBlobs
    projects: Projects
    secrets: ProjectSecrets
    connections: Connections
    checks: Checks
    master_keys: MasterKeys
    runs: Runs
    tasks: Tasks
    entrypoints: Entrypoints
    integrations: Integrations
    github_hooks: GithubHooks
    reporting: Reporting
    outcomes: Outcomes
    metrics_follower: MetricsFollower
    prices: Prices
    exposition: Exposition
    reservations: Reservations
    ray_events_secret: str | None
    metrics_open: bool
    """Whether anybody who reaches the server may read `/metrics`."""
    run_problems: Problems
    problem_ingest: ProblemIngest
    run_finder: RunFinder
    clusters: Clusters
    source_files: SourceFiles
    usage: UsageIngest
    people: IdentityServices
    public_url: str | None
    """This server's address for people, where its operator gave one."""
    archive: LogArchive
    follower: LogFollower
    rayjobs: RayJobs
    mirrors: GitMirrors
    reconciler: Reconciler
    replicas: Replicas
    retention: Retention
    janitor: Janitor
