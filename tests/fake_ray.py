"""A Ray cluster in memory, held to the same contract tests as the real one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from daftray.domain.cluster import (
    ClusterInfo,
    ClusterNode,
    ClusterResources,
    Job,
    JobStatus,
    JobSubmission,
    ListedJob,
    Package,
    ReservedCpu,
)
from daftray.domain.errors import (
    ClusterRefusedError,
    ClusterUnreachableError,
    JobExistsError,
    JobNotFoundError,
)

SUCCEEDS = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.SUCCEEDED)
FAILS = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.FAILED)
_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
_GIB = 1024**3
ROOMY = ClusterResources(
    nodes=1,
    cpus=4,
    memory=32 * _GIB,
    cpus_free=4,
    gpus_free=0,
    memory_free=32 * _GIB,
    head_memory_total=64 * _GIB,
    head_memory_free=48 * _GIB,
)
HEAD = ClusterNode(
    id="ab" * 28,
    state="ALIVE",
    head=True,
    address="10.0.0.1",
    cpus=4,
    memory=32 * _GIB,
    machine_memory_total=64 * _GIB,
    machine_memory_free=48 * _GIB,
)
_LOST = (
    "runtime_env setup failed: OSError: Failed to download runtime_env file package {} from the GCS to the "
    "Ray worker node. The package may have prematurely been deleted from the GCS."
)


@dataclass
class FakeJob:
    """``script`` is what `FakeRayJobs.get` answers in turn, the last one for ever.

    ``left`` is what sweeping it ends, ``stubborn`` what it cannot; a process is called ``process …``.
    """

    submission: JobSubmission
    job: Job
    script: list[JobStatus]
    log: bytes = b""
    left: list[str] = field(default_factory=list[str])
    stubborn: list[str] = field(default_factory=list[str])
    lacks: str | None = None
    reserved: ReservedCpu = field(default_factory=lambda: ReservedCpu(seconds=0))


class FakeRayJobs:
    """The `RayJobs` of a cluster that does what the test says.

    ``script`` is the statuses that each new job goes through, one at each look; one that does not end by
    itself waits for `end`. While ``unreachable`` is set nothing answers. ``kills`` are the jobs that a sweep
    had to end; a job whose package is not in ``packages`` fails.
    """

    def __init__(self, script: Sequence[JobStatus] = SUCCEEDS, *, python_version: str = "3.12.1") -> None:
        self.script = tuple(script)
        self.jobs: dict[str, FakeJob] = {}
        self.packages: set[str] = set()
        self.uploads: list[str] = []
        self.stops: list[str] = []
        self.kills: list[str] = []
        self.sweeps: list[tuple[str, bool]] = []
        self.deletes: list[str] = []
        self.room = ROOMY
        self.there = [HEAD]
        self.unreachable = False
        self.refuses: str | None = None
        self.error_type: str | None = None
        self.message = "Job is scripted."
        self._python_version = python_version
        self._session = 1

    # What the test does to the cluster.

    def write(self, submission_id: str, data: bytes) -> None:
        """Let a driver write to its log."""
        self._job(submission_id).log += data

    def end(self, submission_id: str, status: JobStatus, *, exit_code: int | None = None) -> None:
        """Let a job end."""
        fake = self._job(submission_id)
        fake.script = [status]
        fake.job = replace(fake.job, exit_code=exit_code)

    def leave(self, submission_id: str, *things: str, stubborn: bool = False) -> None:
        """Let a job leave things on the cluster."""
        fake = self._job(submission_id)
        (fake.stubborn if stubborn else fake.left).extend(things)

    def restart(self) -> None:
        """Let the head start anew: it knows nothing of what was."""
        self._session += 1
        self.jobs.clear()
        self.packages.clear()

    # The port.

    async def info(self) -> ClusterInfo:
        self._answer()
        return ClusterInfo(
            session=f"session_{self._session}", ray_version="2.59.0", python_version=self._python_version
        )

    async def resources(self) -> ClusterResources:
        """What there is in ``room``, less what jobs that run have asked for."""
        self._answer()
        running = [it.submission for it in self.jobs.values() if it.job.status is JobStatus.RUNNING]
        cpus, memory = sum(it.num_cpus or 0 for it in running), sum(it.memory or 0 for it in running)
        free = {"cpus_free": self.room.cpus_free, "memory_free": self.room.memory_free}
        taken = {"cpus_free": cpus, "memory_free": memory}
        return replace(self.room, **{key: it and it - taken[key] for key, it in free.items()})

    async def nodes(self) -> tuple[ClusterNode, ...]:
        self._answer()
        return tuple(self.there)

    async def ensure_package(self, package: Package) -> None:
        self._answer()
        if package.name not in self.packages:
            self.uploads.append(package.name)
            self.packages.add(package.name)

    async def submit(self, submission: JobSubmission) -> None:
        self._answer()
        _check(submission.submission_id)
        if self.refuses is not None:
            raise ClusterRefusedError(self.refuses)
        if submission.submission_id in self.jobs:
            raise JobExistsError
        job = Job(submission_id=submission.submission_id, status=self.script[0], started_at=_AT)
        fake = FakeJob(submission, job, list(self.script), lacks=self._lacks(submission))
        if fake.lacks is not None:
            fake.script = [JobStatus.PENDING, JobStatus.FAILED]
        self.jobs[submission.submission_id] = fake

    async def get(self, submission_id: str) -> Job:
        self._answer()
        fake = self._job(submission_id)
        status = fake.script.pop(0) if len(fake.script) > 1 else fake.script[0]
        fake.job = replace(fake.job, status=status, message=self.message, error_type=self.error_type)
        if fake.lacks is not None:
            said = {"message": _LOST.format(fake.lacks), "error_type": "RUNTIME_ENV_SETUP_FAILURE"}
            fake.job = replace(fake.job, **said) if status.terminal else fake.job
        elif status is not JobStatus.PENDING:
            there = {"log_address": "http://fake.invalid", "job_id": "02000000", "node_id": "fe" * 28}
            fake.job = replace(fake.job, **there)
        if status.terminal:
            codes = {JobStatus.SUCCEEDED: 0, JobStatus.FAILED: 1, JobStatus.STOPPED: None}
            exit_code = codes[status] if fake.job.exit_code is None else fake.job.exit_code
            fake.job = replace(fake.job, exit_code=exit_code, ended_at=_AT)
        return fake.job

    async def reserved(self, job: Job, *, at: datetime) -> ReservedCpu:
        """The driver's own CPUs for as long as it ran, and what a test says."""
        self._answer()
        fake = self._job(job.submission_id)
        ran_s = ((job.ended_at or at) - (job.started_at or at)).total_seconds()
        seconds = (fake.submission.num_cpus or 0) * max(ran_s, 0)
        return replace(fake.reserved, seconds=fake.reserved.seconds + seconds)

    async def list_jobs(self) -> list[ListedJob]:
        self._answer()
        return [
            ListedJob(submission_id=name, status=fake.job.status, metadata=fake.submission.metadata)
            for name, fake in self.jobs.items()
        ]

    async def stop(self, submission_id: str) -> None:
        self._answer()
        fake = self._job(submission_id)
        self.stops.append(submission_id)
        # Ray leaves a job that waits for resources as it is.
        if fake.job.status is JobStatus.RUNNING:
            fake.script = [JobStatus.STOPPED]

    async def sweep(self, submission_id: str, *, processes: bool = True) -> tuple[str, ...]:
        self._answer()
        _check(submission_id)
        self.sweeps.append((submission_id, processes))
        fake = self.jobs.get(submission_id)
        if fake is None:
            return ()
        if not fake.job.status.terminal:
            self.kills.append(submission_id)
            ran = fake.job.status is JobStatus.RUNNING
            fake.script = [JobStatus.STOPPED if ran else JobStatus.FAILED]
            await self.get(submission_id)
        fake.left = [thing for thing in fake.left if thing.startswith("process") and not processes]
        return tuple(fake.stubborn)

    async def delete(self, submission_id: str) -> None:
        self._answer()
        fake = self.jobs.get(_check(submission_id))
        if fake is not None and not fake.job.status.terminal:
            raise ClusterRefusedError
        self.deletes.append(submission_id)
        self.jobs.pop(submission_id, None)

    async def read_log(self, job: Job, *, offset: int, limit: int) -> bytes:
        self._answer()
        if job.log_address is None:
            return b""
        return self._job(job.submission_id).log[offset : offset + limit]

    def dashboard_url(self, job_id: str | None = None) -> str:
        return f"http://fake.invalid/#/{f'jobs/{job_id}' if job_id else 'cluster'}"

    def _lacks(self, submission: JobSubmission) -> str | None:
        """Return a package of the job that the cluster does not have."""
        modules = submission.runtime_env.get("py_modules")
        named = [submission.runtime_env.get("working_dir"), *(modules if isinstance(modules, list) else [])]
        packages = [str(uri) for uri in named if str(uri).startswith("gcs://")]
        return next((uri for uri in packages if uri.removeprefix("gcs://") not in self.packages), None)

    def _answer(self) -> None:
        if self.unreachable:
            raise ClusterUnreachableError

    def _job(self, submission_id: str) -> FakeJob:
        if _check(submission_id) not in self.jobs:
            raise JobNotFoundError
        return self.jobs[submission_id]


def _check(submission_id: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", submission_id):
        raise ClusterRefusedError
    return submission_id
