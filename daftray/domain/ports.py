"""What the use cases need of the outside world. Adapters implement these; fakes do too, under the same tests.

Every call that can touch a network or a disk is async, has a time limit of its own, and raises only the
errors of ``domain/errors.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from daftray.domain.cluster import ClusterInfo, Job, JobSubmission, Package
from daftray.domain.metrics import Counter, CounterTotal, UsageSummary
from daftray.domain.principal import ApiKey
from daftray.domain.problem import Problem
from daftray.domain.project import Project, SealedSecret
from daftray.domain.report import AttemptReports, FinishedReport, StartedReport
from daftray.domain.result import RunResult
from daftray.domain.run import Run, RunEvent
from daftray.domain.status import RunPhase, RunStatus


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time, in UTC and aware of it."""
        ...


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of a project, newest first. ``before`` is the id that the last page ended with."""

    project: str
    status: RunStatus | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    trigger: str | None = None
    before: str | None = None
    offset: int = 0
    limit: int = 50


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to change a run, until it expires or is renewed."""

    token: str
    lease: timedelta


class RunStore(Protocol):
    """Runs, their attempts and their history. Each call is one transaction."""

    async def add(self, run: Run, event: RunEvent, *, secrets: Sequence[SealedSecret] = ()) -> None:
        """Keep a new run, its first event and its own secrets."""
        ...

    async def get(self, run_id: str) -> Run:
        """Return a run. Raises `RunNotFoundError`."""
        ...

    async def list(self, query: RunQuery) -> list[Run]:
        """Return at most ``query.limit`` runs, newest first."""
        ...

    async def events(self, run_id: str) -> list[RunEvent]:
        """Return a run's history, oldest first."""
        ...

    async def request_cancel(self, run_id: str, at: datetime) -> Run:
        """Note that a run is to be cancelled, unless it has ended or was told so before; return it."""
        ...

    async def claim_due(self, claim: Claim, *, now: datetime, limit: int) -> list[Run]:
        """Claim runs that are not done, are due and that nobody holds, oldest first by due time, then id."""
        ...

    async def renew(self, claim: Claim, run_ids: Sequence[str], *, now: datetime) -> None:
        """Hold claimed runs for another lease."""
        ...

    async def save(self, run: Run, events: Sequence[RunEvent], claim: Claim) -> None:
        """Write a claimed run and its new events.

        `Run.cancel_requested_at` is not written but compared: a cancel that the writer has not seen makes
        this fail, so that it can't be lost.

        Raises:
            StaleClaimError: the claim is not held any more, or a cancel came in meanwhile.
        """
        ...

    async def save_log_size(self, run_id: str, attempt: int, size: int, claim: Claim) -> None:
        """Note how much of an attempt's log is archived. Raises `StaleClaimError`."""
        ...

    async def save_usage(self, run_id: str, usage: UsageSummary) -> None:
        """Note a run's usage, for lists. Needs no claim: it never decides anything."""
        ...

    async def release(self, run_id: str, claim: Claim, *, due_at: datetime) -> None:
        """Give a claimed run back, to be claimed again when it is due (or woken)."""
        ...

    async def make_due(self, *, phase: RunPhase, now: datetime, limit: int) -> None:
        """Make the oldest runs of a phase due now: something that they wait for has changed."""
        ...

    async def occupying(self, cluster: str) -> int:
        """Return how many runs take a place on that cluster (`ON_CLUSTER`)."""
        ...

    async def queue_position(self, run: Run) -> int:
        """Return how many queued runs of the same cluster stand before this one."""
        ...


class ProjectStore(Protocol):
    """Projects."""

    async def add(self, project: Project) -> None:
        """Keep a new project. Raises `NameTakenError`."""
        ...

    async def get(self, workspace: str, id_or_name: str) -> Project:
        """Return a project of a workspace. Raises `ProjectNotFoundError`."""
        ...

    async def by_id(self, project_id: str) -> Project:
        """Return a project. Raises `ProjectNotFoundError`."""
        ...

    async def list(self, workspace: str, *, limit: int, offset: int) -> list[Project]:
        """Return projects by name."""
        ...

    async def save(self, project: Project) -> None:
        """Write a changed project. Raises `NameTakenError`, `ProjectNotFoundError`."""
        ...

    async def delete(self, project_id: str) -> None:
        """Remove a project and all that hangs on it. Raises `ConflictError` while a run of it has not ended."""
        ...


class SecretStore(Protocol):
    """Sealed secrets, by owner (a project's id or a run's id)."""

    async def put(self, secret: SealedSecret) -> None:
        """Keep a secret, in place of an older one of the same owner and name (whose creation time stays)."""
        ...

    async def list(self, owner: str) -> list[SealedSecret]:
        """Return an owner's secrets, by name."""
        ...

    async def delete(self, owner: str, name: str) -> None:
        """Remove a secret. Raises `SecretNotFoundError`."""
        ...


class KeyStore(Protocol):
    """API keys."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, if there is one."""
        ...


class ReportStore(Protocol):
    """What runs reported. Every write may come twice, late, or out of order."""

    async def started(self, run_id: str, report: StartedReport) -> None:
        """Keep the first such report of an attempt."""
        ...

    async def finished(self, run_id: str, report: FinishedReport, problem: Problem | None) -> None:
        """Keep the first such report of an attempt, with the problem that ended it."""
        ...

    async def reports(self, run_id: str, attempt: int) -> AttemptReports:
        """Return what has come in of an attempt."""
        ...

    async def put_result(self, run_id: str, result: RunResult) -> None:
        """Keep an attempt's result. One of an older attempt never replaces a newer one's."""
        ...

    async def result(self, run_id: str) -> RunResult | None:
        """Return the result of the newest attempt that has one."""
        ...

    async def problems(self, run_id: str, attempt: int | None = None) -> list[Problem]:
        """Return problems, most frequent first."""
        ...

    async def count(self, run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        """Fold counters in: for each process, metric and attributes the greatest value wins."""
        ...

    async def totals(self, run_id: str) -> list[CounterTotal]:
        """Return a run's counters, summed over processes and attempts."""
        ...


class BlobStore(Protocol):
    """Bytes under keys (``runs/…/log/…``)."""

    async def put(self, key: str, data: bytes) -> None:
        """Keep bytes, whole or not at all, in place of what was there."""
        ...

    async def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes."""
        ...

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return bytes ``start`` to ``end`` (exclusive). Raises `BlobNotFoundError`."""
        ...

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces. Raises `BlobNotFoundError`."""
        ...

    async def size(self, key: str) -> int | None:
        """Return how many bytes a key holds, or nothing where there is no such key."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a key; one that is not there is fine."""
        ...


class GitRepository(msgspec.Struct, frozen=True, kw_only=True):
    """A remote as one project sees it: mirrors are not shared across projects, since access differs.

    ``credential`` is the secret's value in the clear: a token, or a private key in PEM form.
    """

    project: str
    remote: str
    credential: str | None = None

    def __repr__(self) -> str:
        """Leave the credential out: a repr ends up in logs."""
        return f"GitRepository(project={self.project!r}, remote={self.remote!r})"


class TreeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an archived tree. ``path`` is relative, with slashes; a link's ``target`` is its text."""

    path: str
    executable: bool = False
    target: str | None = None
    data: bytes = b""


class GitMirrors(Protocol):
    """Commits of Git remotes, kept in bare mirrors on the server's disk."""

    def check(self, remote: str) -> None:
        """Refuse a remote by its address alone. Raises `SourceRefusedError`."""
        ...

    async def pin(
        self,
        repository: GitRepository,
        *,
        ref: str | None = None,
        commit: str | None = None,
        bundle: bytes | None = None,
    ) -> str:
        """Return the full hash of a branch, tag or commit as it is on the remote now, and keep that commit.

        Raises:
            SourceError: one of its kinds.
        """
        ...

    async def archive(
        self, repository: GitRepository, commit: str, *, patch: bytes | None = None
    ) -> Sequence[TreeFile]:
        """Return the files of a pinned commit as ``git archive`` would, submodules included, by path.

        Raises:
            SourceError: one of its kinds.
        """
        ...


class RayJobs(Protocol):
    """One Ray cluster's job interface."""

    async def info(self) -> ClusterInfo:
        """Return what the cluster is. Raises `ClusterUnreachableError`."""
        ...

    async def ensure_package(self, package: Package) -> None:
        """Make sure that Ray holds a package, and pin it there until a job uses it."""
        ...

    async def submit(self, submission: JobSubmission) -> None:
        """Submit a job once. Raises `JobExistsError`, `ClusterRefusedError`, `ClusterUnreachableError`."""
        ...

    async def get(self, submission_id: str) -> Job:
        """Return a job. Raises `JobNotFoundError`, `ClusterUnreachableError`."""
        ...

    async def stop(self, submission_id: str) -> None:
        """Ask Ray to stop a job; a job that has ended is fine."""
        ...

    async def kill_supervisor(self, submission_id: str) -> None:
        """End a job that Ray's own stop does not end: one that still waits for resources."""
        ...

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes of the driver's log from ``offset``; none where there are no more."""
        ...

    def dashboard_url(self, job_id: str) -> str:
        """Return the address of a job's page in the Ray dashboard."""
        ...


class Packages(Protocol):
    """Runs' packages, built once per content."""

    async def build(self, repository: GitRepository, commit: str, *, patch: bytes | None = None) -> Package:
        """Return the package of a commit with a patch applied. Raises `SourceError`."""
        ...

    async def from_directory(self, path: Path) -> Package:
        """Return the package of a folder of the server's disk. Raises `SourceError`."""
        ...

    async def runner(self) -> Package:
        """Return the package of the runner itself."""
        ...


class Secrets(Protocol):
    """Secret values in the clear, for those who may have them."""

    async def of_project(self, project_id: str) -> Mapping[str, str]:
        """Return a project's secrets by name."""
        ...

    async def of_run(self, run: Run) -> Mapping[str, str]:
        """Return what a run's processes get: its project's secrets, and its own on top."""
        ...
