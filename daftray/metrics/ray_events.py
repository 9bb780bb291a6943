"""CPU seconds that were set aside, by Ray's event export, on clusters that have it on.

Ray 2.59 posts JSON arrays of events, some more than once and in any order. An event is a definition (what a
task or actor asks for) or a part of its life (when it ran), and both are kept by what they are of: one that
comes again changes nothing. It is kept in this process only: after a restart of the server the state API is
asked instead (`daftray.metrics.reservations`).
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from daftray.domain.cluster import ReservedCpu
from daftray.domain.errors import InvalidInputError

MOST_JOBS = 2_000
MOST_SPANS = 200_000
"""Tasks and actors of a job. What comes beyond them is left out, and its job's figure is a part."""
_SUPERVISOR = "_ray_internal_job_actor_"
_TASK = "NORMAL_TASK"
_BEGINS = {"RUNNING", "ALIVE"}
_ENDS = {"FINISHED", "FAILED", "DEAD"}


class _Resources(msgspec.Struct, frozen=True):
    cpus: float = msgspec.field(name="CPU", default=0)


class _Transition(msgspec.Struct, frozen=True):
    state: str = ""
    timestamp: datetime | None = None


class _Config(msgspec.Struct, frozen=True):
    metadata: dict[str, str] = {}


class _Of(msgspec.Struct, frozen=True, rename="camel"):
    """The content of an event, whichever it is."""

    job_id: str = ""
    task_id: str = ""
    task_attempt: int = 0
    task_type: str = ""
    actor_id: str = ""
    name: str = ""
    required_resources: _Resources | None = None
    state_transitions: list[_Transition] = []
    config: _Config = _Config()


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    session_name: str = ""
    timestamp: datetime | None = None
    driver_job_definition_event: _Of | None = None
    task_definition_event: _Of | None = None
    task_lifecycle_event: _Of | None = None
    actor_definition_event: _Of | None = None
    actor_lifecycle_event: _Of | None = None


@dataclass
class _Span:
    """A task's attempt or an actor: what it asks for, and when it ran, as far as that is known."""

    cpus: float | None = None
    began: datetime | None = None
    ended: datetime | None = None


@dataclass
class _Job:
    submission_id: str | None = None
    spans: dict[str, _Span] = field(default_factory=dict[str, _Span])
    latest: datetime | None = None
    """By Ray's clock: up to here what has begun and not ended has run at least."""
    over: bool = False


class RayEvents:
    """Knows the jobs of which events came."""

    def __init__(self) -> None:
        self._jobs = OrderedDict[tuple[str, str], _Job]()
        self._of_submission: dict[str, tuple[str, str]] = {}
        self._drivers = OrderedDict[str, _Span]()

    def add(self, body: bytes) -> dict[str, ReservedCpu]:
        """Take events in; return what is known now of the jobs that they are of, by submission id.

        Raises:
            InvalidInputError: they are none.
        """
        try:
            events = msgspec.json.decode(body, type=list[_Event])
        except (msgspec.DecodeError, RecursionError) as exc:
            raise InvalidInputError(f"These are no events of Ray: {exc}") from exc
        touched = {key for event in events if (key := self._fold(event)) is not None}
        found: dict[str, ReservedCpu] = {}
        for key in touched:
            job = self._jobs.get(key)
            if job is not None and job.submission_id is not None:
                found[job.submission_id] = self._reserved(job)
        return found

    def of(self, submission_id: str) -> ReservedCpu | None:
        """Return what is known of a job since it began, or nothing where its events do not come here."""
        key = self._of_submission.get(submission_id)
        return self._reserved(self._jobs[key]) if key in self._jobs else None

    def _fold(self, event: _Event) -> tuple[str, str] | None:
        """Fold an event in; return the job that it is of."""
        if (of := event.driver_job_definition_event) is not None:
            key = (event.session_name, of.job_id)
            self._name(key, of.config.metadata.get("job_submission_id"))
        elif (of := event.actor_definition_event or event.actor_lifecycle_event) is not None:
            # The end of an actor's id is its job's: parts of its life do not name it otherwise.
            key = (event.session_name, of.job_id or _job_of(of.actor_id))
            self._keep(key, of.actor_id, of)
            self._note_driver(key, of)
        elif (of := event.task_definition_event or event.task_lifecycle_event) is not None:
            key = (event.session_name, of.job_id)
            # A creation of an actor is a task as well, and its actor is counted.
            counts = event.task_definition_event is None or of.task_type == _TASK
            self._keep(key, f"{of.task_id}/{of.task_attempt}", of, counts=counts)
        else:
            return None
        job = self._jobs.get(key)
        if job is not None and event.timestamp is not None:
            job.latest = max(event.timestamp, job.latest or event.timestamp)
        return key

    def _name(self, key: tuple[str, str], submission_id: str | None) -> None:
        if submission_id is not None:
            self._job(key).submission_id = submission_id
            self._of_submission[submission_id] = key

    def _keep(self, key: tuple[str, str], subject: str, of: _Of, *, counts: bool = True) -> None:
        job = self._job(key)
        span = job.spans.get(subject)
        if span is None:
            if len(job.spans) >= MOST_SPANS:
                job.over = True
                return
            span = job.spans[subject] = _Span()
        if of.required_resources is not None:
            span.cpus = of.required_resources.cpus if counts else 0.0
        for transition in of.state_transitions:
            at = transition.timestamp
            if at is not None and transition.state in _BEGINS:
                span.began = min(at, span.began or at)
            elif at is not None and transition.state in _ENDS:
                span.ended = max(at, span.ended or at)

    def _note_driver(self, key: tuple[str, str], of: _Of) -> None:
        """Find what a job's driver asks for: its supervisor holds it, which is an actor of another job."""
        span = self._job(key).spans.get(of.actor_id)
        if span is not None and of.name.startswith(_SUPERVISOR):
            self._drivers[of.name.removeprefix(_SUPERVISOR)] = span
            if len(self._drivers) > MOST_JOBS:
                self._drivers.popitem(last=False)

    def _job(self, key: tuple[str, str]) -> _Job:
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = _Job()
            if len(self._jobs) > MOST_JOBS:
                _, gone = self._jobs.popitem(last=False)
                self._of_submission.pop(gone.submission_id or "", None)
        self._jobs.move_to_end(key)
        return job

    def _reserved(self, job: _Job) -> ReservedCpu:
        driver = self._drivers.get(job.submission_id or "")
        spans = [*job.spans.values(), *([driver] if driver else [])]
        return ReservedCpu(seconds=sum(_seconds(span, job.latest) for span in spans), partial=job.over)


def _job_of(actor_id: str) -> str:
    """Return the job's id out of an actor's, both in base64: the last four of sixteen bytes."""
    try:
        return base64.b64encode(base64.b64decode(actor_id, validate=True)[-4:]).decode()
    except ValueError:
        return ""


def _seconds(span: _Span, latest: datetime | None) -> float:
    if not span.cpus or span.began is None:
        return 0.0
    return span.cpus * max(0.0, ((span.ended or latest or span.began) - span.began).total_seconds())
