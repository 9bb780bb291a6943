"""The composition root: the one place where ports meet adapters."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from daftray.adapters.blobs.store import ObjectBlobs
from daftray.adapters.db.blob_owners import SqlBlobOwners
from daftray.adapters.db.connections import SqlConnectionStore
from daftray.adapters.db.database import Database
from daftray.adapters.db.integrations import SqlIntegrationStore
from daftray.adapters.db.master_keys import SqlMasterKeyStore
from daftray.adapters.db.notices import notices_of
from daftray.adapters.db.prices import SqlPriceStore
from daftray.adapters.db.problems import SqlProblemStore
from daftray.adapters.db.projects import SqlProjectStore
from daftray.adapters.db.reports import SqlReportStore
from daftray.adapters.db.retention import SqlRetentionStore
from daftray.adapters.db.run_store import SqlRunStore
from daftray.adapters.db.secrets import SqlSecretStore
from daftray.adapters.db.submitted_jobs import SqlSubmittedJobs
from daftray.adapters.db.tallies import SqlTallyStore
from daftray.adapters.db.tasks import SqlTaskStore
from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.ids import Ids
from daftray.domain.ports import BlobStore, Claim, Clock, GitMirrors, Packages, RayJobs
from daftray.entrypoints.service import Entrypoints
from daftray.identity.run_tokens import RunTokens
from daftray.logs.archive import LogArchive
from daftray.logs.follow import LogFollower
from daftray.metrics.accounts import Accounts
from daftray.metrics.exposition import Exposition
from daftray.metrics.ingest import UsageIngest
from daftray.metrics.outcomes import Outcomes
from daftray.metrics.pacing import Pacing
from daftray.metrics.problems import Problems
from daftray.metrics.reservations import Reservations
from daftray.projects.connections import Connections
from daftray.projects.integrations import Integrations
from daftray.projects.master_keys import MasterKeys
from daftray.projects.prices import Prices
from daftray.projects.secrets import ProjectSecrets
from daftray.projects.service import Projects
from daftray.retention.collector import Retention
from daftray.retention.janitor import Janitor
from daftray.runs.capacity import Capacity
from daftray.runs.checks import Checks
from daftray.runs.clusters import Clusters
from daftray.runs.context import StepContext
from daftray.runs.finder import RunFinder
from daftray.runs.metrics_stream import MetricsFollower
from daftray.runs.problem_ingest import ProblemIngest
from daftray.runs.reconciler import Reconciler
from daftray.runs.replicas import Replicas
from daftray.runs.reporting import Reporting
from daftray.runs.service import Runs, Target
from daftray.runs.source_files import SourceFiles
from daftray.runs.sources import RunSources
from daftray.runtime_env.packages import ZipPackages
from daftray.runtime_env.shared_packages import SharedPackages
from daftray.server.clock import DatabaseClock
from daftray.server.failpoints import Failpoints
from daftray.server.github_wiring import github_access, github_hooks
from daftray.server.identity_wiring import build_identity
from daftray.server.policy_wiring import policy_of
from daftray.server.services import Services
from daftray.server.settings import ServerSettings
from daftray.tasks.service import Tasks


def packages_of(settings: ServerSettings, mirrors: GitMirrors, blobs: BlobStore) -> Packages:
    """Return the packages: shared by the blob store where there is one that other servers may use, too."""
    own = ZipPackages(
        settings.data_dir / "packages", mirrors=mirrors, bound_bytes=settings.package_cache_bytes
    )
    return SharedPackages(own, blobs) if settings.blobs_url else own


def build(  # noqa: PLR0913 (each may be replaced by a fake)
    settings: ServerSettings,
    *,
    ring: KeyRing,
    rayjobs: RayJobs,
    cluster: str,
    report_url: str,
    stopping: asyncio.Event,
    clock: Clock | None = None,
    mirrors: GitMirrors | None = None,
    packages: Packages | None = None,
) -> Services:
    """Wire the services. Nothing is opened, started or asked here."""
    ids, replicas = Ids(), Replicas(notices_of(settings.database))
    wake, signals = replicas.wake, replicas.signals
    database = Database(settings.database)
    clock = clock or DatabaseClock(database.time)
    points = Failpoints(settings.failpoints)
    rayjobs = points.around("rayjobs", rayjobs)
    run_store = points.around("runs", SqlRunStore(database))
    reports = points.around("reports", SqlReportStore(database))
    problems = points.around("problems", SqlProblemStore(database))
    price_store = points.around("prices", SqlPriceStore(database))
    accounts = Accounts(reports=reports, prices=price_store)
    blobs = points.around("blobs", ObjectBlobs(settings.blobs))
    mirrors = mirrors or BareMirrors(settings.data_dir / "git", allow_local=settings.allow_local_remotes)
    mirror_cache = mirrors if isinstance(mirrors, BareMirrors) else None
    mirrors = points.around("mirrors", mirrors)
    packages = packages or packages_of(settings, mirrors, blobs)
    packages = points.around("packages", packages)
    vault = AesGcmVault(ring)
    secret_store = points.around("secrets", SqlSecretStore(database))
    secrets = ProjectSecrets(store=secret_store, vault=vault, clock=clock)
    project_store = points.around("projects", SqlProjectStore(database))
    integrations = points.around("integrations", SqlIntegrationStore(database))
    github = github_access(settings, integrations, clock)
    projects = Projects(
        store=project_store, secrets=secrets, mirrors=mirrors, ids=ids, clock=clock, github=github
    )
    sources = RunSources(
        projects=projects, blobs=blobs, mirrors=mirrors, allow_directories=settings.allow_local_remotes
    )
    tokens = RunTokens(keys=ring.keys("run tokens"), runs=run_store)
    people = build_identity(
        database,
        points,
        projects=project_store,
        tokens=tokens,
        ids=ids,
        clock=clock,
        keys_for=ring.keys,
        openid=settings,
    )
    archive = LogArchive(blobs=blobs, rayjobs=rayjobs, runs=run_store, signals=signals, clock=clock)
    context = StepContext(
        runs=run_store,
        reports=reports,
        sources=sources,
        secrets=secrets,
        mirrors=mirrors,
        packages=packages,
        rayjobs=rayjobs,
        archive=archive,
        tokens=tokens,
        clock=clock,
        policy=policy_of(settings, report_url),
        claim=Claim(token=ids.token(), lease=timedelta(seconds=settings.claim_lease_s)),
        cluster=cluster,
        capacity=Capacity(rayjobs, clock),
        accounts=accounts,
        reservations=Reservations(rayjobs=rayjobs, reports=reports, clock=clock),
    )
    runs = Runs(
        store=run_store,
        sources=sources,
        secrets=secrets,
        wake=wake,
        ids=ids,
        clock=clock,
        target=Target(cluster=cluster, places=settings.max_running),
        digest_keys=ring.keys("idempotency keys"),
        prices=price_store,
    )
    connection_store = points.around("connections", SqlConnectionStore(database))
    connections = Connections(store=connection_store, ids=ids, clock=clock)
    outcomes = Outcomes(reports=reports, blobs=blobs, accounts=accounts)
    submitted = points.around("submitted", SqlSubmittedJobs(database))
    grace = timedelta(minutes=settings.keep_ray_jobs_minutes)
    janitor = Janitor(rayjobs=rayjobs, submitted=submitted, cluster=cluster, grace=grace)
    return Services(
        clock=clock,
        database=points.around("database", database),
        blobs=blobs,
        projects=projects,
        secrets=secrets,
        master_keys=MasterKeys(
            records=SqlMasterKeyStore(database), secrets=secret_store, vault=vault, clock=clock
        ),
        runs=runs,
        tasks=Tasks(
            store=points.around("tasks", SqlTaskStore(database)),
            runs=runs,
            sources=sources,
            secrets=secrets,
            ids=ids,
            clock=clock,
        ),
        integrations=Integrations(store=integrations, ids=ids, clock=clock),
        github_hooks=github_hooks(
            settings, github, integrations=integrations, projects=projects, mirrors=mirrors
        ),
        entrypoints=Entrypoints(projects=projects, mirrors=mirrors, secrets=secrets),
        connections=connections,
        checks=Checks(store=run_store, wake=wake, ids=ids, clock=clock, cluster=cluster),
        reporting=Reporting(
            runs=run_store,
            reports=reports,
            blobs=blobs,
            secrets=secrets,
            wake=wake,
            connections=connections,
        ),
        outcomes=outcomes,
        metrics_follower=MetricsFollower(outcomes=outcomes, runs=run_store, stopping=stopping),
        prices=Prices(store=price_store, clock=clock),
        exposition=Exposition(tallies=points.around("tallies", SqlTallyStore(database)), clock=clock),
        reservations=context.reservations,
        ray_events_secret=secret.get_secret_value() if (secret := settings.ray_events_secret) else None,
        metrics_open=settings.metrics_open,
        run_problems=Problems(store=problems),
        problem_ingest=ProblemIngest(problems=problems, runs=run_store, secrets=secrets),
        run_finder=RunFinder(runs=run_store, access=people.access),
        clusters=Clusters(
            rayjobs=rayjobs, runs=run_store, clock=clock, cluster=cluster, policy=context.policy
        ),
        source_files=SourceFiles(sources=sources, mirrors=mirrors, secrets=secrets),
        usage=UsageIngest(reports=reports, runs=run_store, accounts=accounts, pacing=Pacing(clock)),
        people=people,
        public_url=settings.public_url,
        archive=archive,
        follower=LogFollower(
            archive=archive, runs=run_store, signals=signals, clock=clock, stopping=stopping
        ),
        rayjobs=rayjobs,
        mirrors=mirrors,
        reconciler=Reconciler(context=context, wake=wake, signals=signals),
        replicas=replicas,
        retention=Retention(
            store=points.around("retention", SqlRetentionStore(database)),
            owners=points.around("owners", SqlBlobOwners(database)),
            blobs=blobs,
            mirrors=mirror_cache,
            janitor=janitor,
            policy=settings.retention_policy,
            clock=clock,
            ids=ids,
        ),
        janitor=janitor,
    )
