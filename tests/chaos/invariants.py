"""What must hold of runs that have ended, whatever died meanwhile. Each answer is a list of what does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from chaos.api import Api
from chaos.program import Asked, Start, counted, starts
from chaos.ray_view import RayView, processes_of

from daftray.domain.run import Run
from daftray.domain.status import TRANSITIONS, FailureReason, RunPhase, RunStatus

LEFT_BEHIND_S = 10.0
"""How long after a run's end its last processes may take to go."""
TIDIED_WITHIN_S = 60.0
"""How long what a run says is left of it may take to go: the janitor comes every half a minute."""
SAID_TO_BE_LEFT = "Left on the cluster"


@dataclass(frozen=True, kw_only=True)
class Created:
    """A run that was asked for, and the id that was answered."""

    asked: Asked
    run_id: str


@dataclass(frozen=True)
class Witness:
    """Whom to ask: the interface, Ray, and the folder in which the runs' code keeps its own books."""

    api: Api
    ray: RayView
    folder: Path


def violations(asked: Asked, run: Run, witness: Witness) -> Iterator[str]:
    """Yield what is wrong with a run that has ended."""
    _let_the_janitor_come(run, witness)
    begun = starts(witness.folder, run.id)
    checks = [
        *_end(asked, run),
        *_history(run, witness),
        *_executions(asked, run, begun),
        *_log(run, begun, witness),
        *_usage(run, witness),
        *_jobs(run, witness),
    ]
    for check in checks:
        yield f"{asked.name} ({asked.ending}, {run.id}): {check}"


def _says_something_is_left(run: Run) -> bool:
    return run.status is RunStatus.CANCELLED and SAID_TO_BE_LEFT in (run.reason_detail or "")


def _let_the_janitor_come(run: Run, witness: Witness) -> None:
    """Wait for the end of what a run said was left, since no cluster was to be had: it must go, too."""
    deadline = time.monotonic() + TIDIED_WITHIN_S
    while _says_something_is_left(run) and time.monotonic() < deadline:
        if all(job.ended for job in witness.ray.jobs_of(run.id)):
            return
        time.sleep(0.5)


def _end(asked: Asked, run: Run) -> Iterator[str]:
    how = f"{run.status} {run.reason or ''} {run.reason_detail or ''}"
    if asked.cancelled_at_s is not None and run.status is RunStatus.CANCELLED:
        return
    if asked.ending == "return" and run.status is not RunStatus.SUCCEEDED:
        yield f"ended as {how}, not as succeeded"
    if asked.ending == "raise" and (run.status, run.reason) != (RunStatus.FAILED, FailureReason.USER_ERROR):
        yield f"ended as {how}, not as user_error"
    if asked.ending == "cancel":
        yield f"ended as {how}, though it was cancelled long before its end"


def _history(run: Run, witness: Witness) -> Iterator[str]:
    events = witness.api.events(run.id)
    story = " > ".join(event.phase for event in events)
    if not events or events[0].phase is not RunPhase.PINNING:
        yield f"its history does not begin with pinning: {story}"
    for before, after in pairwise(events):
        if after.at < before.at:
            yield f"its history goes back in time at {after.phase}: {before.at} > {after.at}"
        if after.phase not in TRANSITIONS[before.phase]:
            yield f"its history goes from {before.phase} to {after.phase}"
        if after.from_ != before.to:
            yield f"its history says {before.to}, then comes from {after.from_}"
    done = [event for event in events if event.phase is RunPhase.DONE]
    if len(done) != 1 or events[-1] is not done[0] or done[0].to is not run.status:
        yield f"its history has not exactly one end, the run's own: {story}"


def _executions(asked: Asked, run: Run, begun: list[Start]) -> Iterator[str]:
    attempts = [start.attempt for start in begun]
    if len(attempts) != len(set(attempts)):
        yield f"the code of an attempt was executed more than once: attempts {attempts}"
    if not set(attempts) <= {attempt.number for attempt in run.attempts}:
        yield f"code ran in attempts {attempts}, of which the run has {len(run.attempts)}"
    if run.status is not RunStatus.CANCELLED and run.attempt not in attempts:
        yield "the run ended by itself, but its code never ran"
    if asked.cancelled_at_s is None and len(run.attempts) != 1:
        yield f"it took {len(run.attempts)} attempts, though nothing was wrong with the cluster"


def _log(run: Run, begun: list[Start], witness: Witness) -> Iterator[str]:
    for start in begun:
        archived = witness.api.log(run.id, start.attempt)
        written = Path(start.log).read_bytes()
        if _says_something_is_left(run) and written.startswith(archived):
            continue  # what it wrote after its end is nobody's
        if archived != written:
            yield f"attempt {start.attempt}: {_difference(archived, written)}"


def _difference(archived: bytes, written: bytes) -> str:
    same = next(
        (at for at, (a, b) in enumerate(zip(archived, written, strict=False)) if a != b),
        min(len(archived), len(written)),
    )
    return (
        f"the archived log ({len(archived)} bytes) is not what Ray has ({len(written)} bytes), "
        f"from byte {same} on: {archived[same : same + 60]!r} for {written[same : same + 60]!r}"
    )


def _usage(run: Run, witness: Witness) -> Iterator[str]:
    known = counted(witness.folder, run.id)
    metrics = witness.api.metrics(run.id)
    rows = sum(counter.value for counter in metrics.custom if counter.name == "rows")
    kept = {"rows": rows, "requests": metrics.requests or 0, "tokens": (metrics.tokens_in or 0) / 3}
    exact = run.status is not RunStatus.CANCELLED
    for name, value in kept.items():
        if value > known or (exact and value != known):
            yield f"{name}: {value:g} are kept, the code counted {known}"
    # What is left of a run may still report, so the list is asked after the metrics.
    listed = witness.api.get(run.id).usage if _says_something_is_left(run) else run.usage
    if (listed.requests if listed else None) != metrics.requests:
        yield f"the list says {listed}, the metrics say {metrics.requests} requests"
    if run.status is RunStatus.SUCCEEDED and (result := witness.api.result(run.id)) != {"rows": known}:
        yield f"its result is {result}, not that of {known} rows"


def _jobs(run: Run, witness: Witness) -> Iterator[str]:
    jobs = witness.ray.jobs_of(run.id)
    ids = [job.submission_id for job in jobs]
    expected = {attempt.submission_id for attempt in run.attempts}
    if len(ids) != len(set(ids)) or not set(ids) <= expected:
        yield f"Ray has the jobs {ids}, the run has {sorted(expected)}"
    going = [f"{job.submission_id} {job.status}" for job in jobs if not job.ended]
    if going:
        yield f"jobs of it still go on at Ray: {going}"


def left_behind(run_ids: set[str]) -> list[str]:
    """Return the processes of ended runs that are still there after a while."""
    deadline = time.monotonic() + LEFT_BEHIND_S
    while (left := processes_of(run_ids)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return [f"{run_id} left processes behind: {lines}" for run_id, lines in left.items()]
