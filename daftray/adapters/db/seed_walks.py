"""How made-up runs go: a run of a pipeline, walked through the state machine from its start to an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from daftray.adapters.db.seed_pipelines import Pipeline
from daftray.domain.metrics import UsageSummary
from daftray.domain.run import RayJob, Run, RunEvent, Verdict
from daftray.domain.spec import Environment, GitSource, Retries, Source
from daftray.domain.status import FailureReason, RunPhase, RunStatus

AUTHOR = "seed"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""When the run was created."""
RUN_ID, COMMIT = "@run@", "@commit@"

_BEFORE_RUNNING = (
    (RunPhase.PREPARING, 2.0),
    (RunPhase.SUBMITTING, 0.3),
    (RunPhase.STARTING, 1.1),
    (RunPhase.RUNNING, 1.4),
)
_LOST = Verdict(status=RunStatus.FAILED, reason=FailureReason.JOB_LOST, detail="the job is gone")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How runs end. ``share`` is of a pipeline's runs, in percent; a retried one lost its first job."""

    share: float
    verdict: Verdict
    ran_s: float
    retried: bool = False


ENDINGS = (
    Ending(share=87.5, verdict=Verdict(status=RunStatus.SUCCEEDED, exit_code=0), ran_s=340.0),
    Ending(
        share=6.0,
        verdict=Verdict(
            status=RunStatus.FAILED,
            reason=FailureReason.USER_ERROR,
            detail="ValueError: no column 'review' in the input",
            exit_code=1,
        ),
        ran_s=12.0,
    ),
    Ending(
        share=1.9,
        verdict=Verdict(
            status=RunStatus.FAILED,
            reason=FailureReason.OUT_OF_MEMORY,
            detail="a worker was ended for want of memory",
            exit_code=1,
        ),
        ran_s=95.0,
    ),
    Ending(share=1.5, verdict=Verdict(status=RunStatus.SUCCEEDED, exit_code=0), ran_s=340.0, retried=True),
    Ending(share=3.0, verdict=Verdict(status=RunStatus.CANCELLED), ran_s=60.0),
    Ending(share=0.1, verdict=_LOST, ran_s=30.0),
)


def walked(
    pipeline: Pipeline, project: str, ending: Ending, trigger: str, labels: dict[str, str]
) -> tuple[Run, list[RunEvent]]:
    """Return a run that has ended, and its history."""
    run = Run(
        id=RUN_ID,
        project=project,
        entrypoint=pipeline.entrypoint,
        source=Source(git=GitSource(remote=remote_of(pipeline.project), ref="main")),
        environment=Environment(python_version="3.12", dependencies=["daft==0.7.26", "openai>=2"]),
        name=pipeline.name,
        labels=labels,
        retries=Retries(max=1) if ending.retried else None,
        phase_since=EPOCH,
        cluster="local",
        trigger=trigger,
        task=f"tsk_seed_{pipeline.labels['pipeline']}" if "pipeline" in pipeline.labels else None,
        created_by=AUTHOR,
        created_at=EPOCH,
    )
    walk = _Walk(run)
    walk.to(RunPhase.QUEUED, 0.4, detail=f"commit {COMMIT}")
    walk.run = replace(walk.run, commit=COMMIT)
    if ending.retried:
        walk.attempt(ending.ran_s / 2)
        walk.to(RunPhase.HARVESTING, 0.2, verdict=_LOST)
        walk.again()
    walk.attempt(ending.ran_s)
    if ending.verdict.status is RunStatus.CANCELLED:
        walk.run = replace(walk.run, cancel_requested_at=walk.at)
        walk.to(RunPhase.CANCELLING, 0.1)
    walk.to(RunPhase.HARVESTING, 0.8, verdict=ending.verdict)
    walk.to(RunPhase.DONE, 0.5)
    usage = UsageSummary(requests=1000, tokens_in=184_000, tokens_out=9_100, cpu_seconds=ending.ran_s * 2)
    return replace(walk.run, usage=usage), walk.events


def remote_of(project: str) -> str:
    """Return the remote of a seeded project. There is none: the name is reserved for that (RFC 6761)."""
    return f"https://git.seed.invalid/{project}.git"


class _Walk:
    """A run on its way."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.at = EPOCH
        created = RunEvent(at=EPOCH, from_=run.status, to=run.status, phase=run.phase, detail="created")
        self.events = [created]

    def to(
        self, phase: RunPhase, after_s: float, *, verdict: Verdict | None = None, detail: str | None = None
    ) -> None:
        """Advance."""
        self.at += timedelta(seconds=after_s)
        self.run, event = self.run.advance(phase, self.at, verdict=verdict, detail=detail)
        self.events.append(event)

    def attempt(self, ran_s: float) -> None:
        """Go from the queue to the end of what the user's code does."""
        for phase, after_s in _BEFORE_RUNNING:
            if phase is RunPhase.SUBMITTING:
                current = replace(self.run.current, ray_session="session_2000-01-01", prepared_at=self.at)
                self.run = self.run.with_attempt(current)
            self.to(phase, after_s)
        ray = RayJob(submission_id=self.run.submission_id, job_id="02000000")
        current = replace(self.run.current, ray_job_id=ray.job_id)
        self.run = replace(self.run.with_attempt(current), ray=ray)
        self.at += timedelta(seconds=ran_s)

    def again(self) -> None:
        """Queue the next attempt."""
        self.run, event = self.run.retry(self.at, not_before=self.at + timedelta(seconds=10))
        self.events.append(event)
        self.at += timedelta(seconds=10)
