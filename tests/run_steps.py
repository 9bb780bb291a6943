# ruff: noqa: ARG002 (a fake takes what its port takes)
"""A control plane without a server, a cluster or a disk: what the steps of runs work with, all fakes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from factories import COMMIT, a_project
from fake_ray import FakeRayJobs
from fakes import FakeClock, InMemoryBlobs, InMemoryStores

from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.cluster import Package
from daftray.domain.errors import SourceError
from daftray.domain.ids import Ids
from daftray.domain.ports import Claim, GitRepository, RunQuery, SourceChanges, TreeFile
from daftray.domain.principal import Grant, Principal, Role
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, FileEntrypoint, RunRequest
from daftray.domain.status import RunPhase
from daftray.identity.run_tokens import RunTokens
from daftray.logs.archive import LogArchive
from daftray.logs.signals import LogSignals
from daftray.metrics.accounts import Accounts
from daftray.metrics.reservations import Reservations
from daftray.projects.connections import Connections
from daftray.projects.secrets import ProjectSecrets
from daftray.projects.service import Projects
from daftray.runs import ending, steps
from daftray.runs.capacity import Capacity
from daftray.runs.context import Policy, StepContext, StepOutcome
from daftray.runs.reconciler import STEPS, Patience, Reconciler
from daftray.runs.service import Runs, Target
from daftray.runs.sources import RunSources
from daftray.runs.wake import Wake

IMPATIENT = Patience(
    first_pause=timedelta(milliseconds=1),
    longest_pause=timedelta(milliseconds=2),
    cancel_poll=timedelta(milliseconds=5),
)
"""The loop's, where nobody wants to wait."""
QUEUE_LOOK_S = 5
ADMIN = Principal(
    id="key_admin", kind="key", name="admin", grants=(Grant(workspace="default", role=Role.ADMIN),)
)


class FakeMirrors:
    """A remote that has one commit, under every name. ``error`` is what it answers instead."""

    def __init__(self) -> None:
        self.error: SourceError | None = None
        self.asked: list[tuple[GitRepository, str | None, str | None]] = []

    def check(self, remote: str) -> None:
        """Take any address."""

    async def pin(
        self,
        repository: GitRepository,
        *,
        ref: str | None = None,
        commit: str | None = None,
        bundle: bytes | None = None,
    ) -> str:
        self.asked.append((repository, ref, commit))
        if self.error is not None:
            raise self.error
        return COMMIT

    async def archive(
        self, repository: GitRepository, commit: str, *, patch: bytes | None = None
    ) -> Sequence[TreeFile]:
        return []

    async def files(
        self,
        repository: GitRepository,
        commit: str,
        paths: Sequence[str],
        *,
        patch: bytes | None = None,
        largest: int,
    ) -> dict[str, bytes | None]:
        return {}

    async def names(self, repository: GitRepository, commit: str, *, suffix: str, most: int) -> Sequence[str]:
        return []

    async def changes(
        self, repository: GitRepository, before: str, after: str, *, most: int
    ) -> SourceChanges:
        if self.error is not None:
            raise self.error
        return SourceChanges()

    async def refresh(self, repository: GitRepository) -> bool:
        return False

    async def close(self) -> None:
        """Nothing runs."""


class FakePackages:
    """Packages that need no building. ``error`` is what building one raises."""

    def __init__(self) -> None:
        self.error: SourceError | None = None
        self.warnings: tuple[str, ...] = ()

    async def build(self, repository: GitRepository, commit: str, *, patch: bytes | None = None) -> Package:
        if self.error is not None:
            raise self.error
        return Package(name=f"{commit}.zip", path=Path("package.zip"), size=1, warnings=self.warnings)

    async def empty(self) -> Package:
        return Package(name="empty.zip", path=Path("empty.zip"), size=1)

    async def from_directory(self, path: Path) -> Package:
        return Package(name="folder.zip", path=path, size=1)

    async def runner(self) -> Package:
        return Package(name="runner.zip", path=Path("runner.zip"), size=1)


class ControlPlane:
    """Everything wired, and a project ``demo``."""

    def __init__(self, *, places: int = 2, rayjobs: FakeRayJobs | None = None) -> None:
        self.clock = FakeClock()
        self.stores, self.blobs = InMemoryStores(self.clock), InMemoryBlobs()
        self.rayjobs = rayjobs or FakeRayJobs()
        self.mirrors, self.packages = FakeMirrors(), FakePackages()
        self.wake, self.signals = Wake(), LogSignals()
        self.accounts = Accounts(reports=self.stores.reports, prices=self.stores.prices)
        ids = Ids()
        self.secrets = ProjectSecrets(
            store=self.stores.secrets, vault=AesGcmVault(KeyRing.of(b"master")), clock=self.clock
        )
        self.projects = Projects(
            store=self.stores.projects, secrets=self.secrets, mirrors=self.mirrors, ids=ids, clock=self.clock
        )
        sources = RunSources(
            projects=self.projects, blobs=self.blobs, mirrors=self.mirrors, allow_directories=False
        )
        self.connections = Connections(store=self.stores.connections, ids=ids, clock=self.clock)
        self.runs = Runs(
            store=self.stores.runs,
            sources=sources,
            secrets=self.secrets,
            wake=self.wake,
            ids=ids,
            clock=self.clock,
            target=Target(cluster="local", places=places),
            digest_keys=[("d", b"d" * 32)],
            prices=self.stores.prices,
        )
        self.context = StepContext(
            runs=self.stores.runs,
            reports=self.stores.reports,
            sources=sources,
            secrets=self.secrets,
            mirrors=self.mirrors,
            packages=self.packages,
            rayjobs=self.rayjobs,
            archive=LogArchive(blobs=self.blobs, rayjobs=self.rayjobs, runs=self.stores.runs),
            tokens=RunTokens(keys=[("k", b"k" * 32)], runs=self.stores.runs),
            clock=self.clock,
            policy=Policy(report_url="http://control", max_running=places),
            claim=Claim(token="claim-1", lease=timedelta(seconds=30)),
            cluster="local",
            capacity=Capacity(self.rayjobs, self.clock),
            accounts=self.accounts,
            reservations=Reservations(rayjobs=self.rayjobs, reports=self.stores.reports, clock=self.clock),
        )
        self.project = a_project(id="prj_demo", created_at=self.clock.now())

    async def open(self) -> ControlPlane:
        """Add the project."""
        await self.stores.projects.add(self.project)
        return self

    async def create(self, **fields: object) -> Run:
        """Create a run by the use case, as the API does."""
        entrypoint = Entrypoint(file=FileEntrypoint(file_path="main.py"))
        request = RunRequest(**{"entrypoint": entrypoint, **fields})  # type: ignore[arg-type] (its fields)
        self.clock.move(0.001)  # ids of one millisecond are in no order
        return await self.runs.create(self.project, request, ADMIN)

    async def step(self, run: Run) -> StepOutcome:
        """Take a run's next step, and save it, as the reconciler does."""
        outcome = await self.act(run)
        await self.stores.runs.save(outcome.run, outcome.events, self.context.claim)
        if outcome.parked:
            for one in await self.stores.runs.list(RunQuery(project=self.project.id, limit=200)):
                if one.phase is RunPhase.QUEUED:
                    await self.stores.runs.release(one.id, self.context.claim, due_in=outcome.again_in)
            await steps.admit(self.context, 50)
        self.clock.move(max(0.01, min(outcome.again_in.total_seconds(), QUEUE_LOOK_S)))
        return outcome

    async def act(self, run: Run) -> StepOutcome:
        """Take a run's next step without saving it, as a server does that is killed in between."""
        now = self.clock.now()
        self.clock.set(now + timedelta(days=30))
        await self.stores.runs.claim_due(self.context.claim, limit=1000)
        self.clock.set(now)
        before = await self.stores.runs.get(run.id)
        step = STEPS[before.phase]
        if before.cancel_requested_at and before.phase not in {RunPhase.CANCELLING, RunPhase.HARVESTING}:
            step = ending.begin_cancel
        return await step(before, self.context)

    async def until(self, run: Run, *phases: RunPhase, most: int = 400) -> Run:
        """Take steps until the run is in one of these phases (or done)."""
        now = run
        for _ in range(most):
            now = await self.stores.runs.get(run.id)
            if now.phase in {*phases, RunPhase.DONE}:
                return now
            await self.step(now)
        raise AssertionError(f"still {now.phase} after {most} steps: {now}")

    def reconciler(self) -> Reconciler:
        """Return the real loop over all this."""
        return Reconciler(context=self.context, wake=self.wake, signals=self.signals, patience=IMPATIENT)


async def eventually(holds: Callable[[], Awaitable[bool]], *, timeout_s: float = 20) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(timeout_s):
        while not await holds():  # noqa: ASYNC110 (the condition is the database's, which sets no event)
            await asyncio.sleep(0.005)
