"""Runs that have ended, with logs and results of a given size and age."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from factories import Fields, a_run, new
from stores import Stores

from daftray.domain.result import RunResult
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunPhase, RunStatus

DAY = timedelta(days=1)


def an_ended_run(at: datetime, *, log_size: int = 0, **fields: Fields) -> Run:
    """Return a run that was made an hour before it ended at that time, after one attempt."""
    made: dict[str, Fields] = {"status": RunStatus.SUCCEEDED, "phase": RunPhase.DONE, "completed_at": at}
    run = a_run(**{"created_at": at - timedelta(hours=1), **made, **fields})
    attempt = Attempt(
        number=run.attempt,
        submission_id=run.submission_id,
        status=run.status,
        ended_at=at if run.status.terminal else None,
        log_size=log_size,
    )
    return run.with_attempt(attempt)


def a_live_run(at: datetime, *, log_size: int = 0, **fields: Fields) -> Run:
    """Return a run that was made an hour before that time and goes on, with what its attempt has so far."""
    goes_on: dict[str, Fields] = {
        "status": RunStatus.RUNNING,
        "phase": RunPhase.RUNNING,
        "completed_at": None,
    }
    return an_ended_run(at, log_size=log_size, **{**goes_on, **fields})


async def keep(stores: Stores, *runs: Run) -> None:
    await stores.runs.add(*(new(run) for run in runs))


async def keep_result(stores: Stores, run: Run, at: datetime, *, stored: int = 0) -> RunResult:
    """Keep a JSON result that came at that time, or one whose data is so large."""
    now = stores.clock.now()
    stores.clock.set(at)
    data = {"kind": "artifact", "data": True, "size": stored} if stored else {"kind": "json"}
    result = RunResult(value=msgspec.Raw(b"[1, 2]"), attempt=run.attempt, **data)  # type: ignore[arg-type] (fields by name)
    await stores.reports.put_result(run.id, result)
    stores.clock.set(now)
    return result
