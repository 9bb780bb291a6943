"""Runs of a server without a reconciler, taken through their phases by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from api_server import ApiServer
from msgspec.structs import replace

from daftray.domain.run import Run, Verdict
from daftray.domain.status import RunPhase, RunStatus


async def run_on(api: ApiServer, run: dict[str, Any], log: bytes) -> Run:
    """Claim a run as the reconciler does, let it run, and archive the first of its log."""
    context = api.services.reconciler._context
    await context.runs.claim_due(context.claim, limit=10)
    stored = await api.stored(run)
    stored = stored.with_attempt(stored.current)
    running = replace(stored, phase=RunPhase.RUNNING, status=RunStatus.RUNNING)
    await context.runs.save(running, (), context.claim)
    return await log_on(api, run, log)


async def log_on(api: ApiServer, run: dict[str, Any], log: bytes) -> Run:
    context, stored = api.services.reconciler._context, await api.stored(run)
    await api.services.archive._append(stored, stored.current.log_size, log, context.claim)
    return await api.stored(run)


async def end(api: ApiServer, run: dict[str, Any], verdict: Verdict) -> None:
    context, now = api.services.reconciler._context, datetime.now(UTC)
    harvesting, _ = (await api.stored(run)).advance(RunPhase.HARVESTING, now, verdict=verdict)
    done, event = harvesting.advance(RunPhase.DONE, now)
    await context.runs.save(done, (event,), context.claim)
