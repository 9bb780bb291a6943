"""The queue before a cluster, as the runs' table holds it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.rows import ProjectRow, RunRow
from daftray.domain.queue import ClusterLoad, ClusterQueue, QueuedRun, QueuePlace
from daftray.domain.run import Run
from daftray.domain.status import ON_CLUSTER, RunPhase

_STARTING = (RunPhase.PREPARING, RunPhase.SUBMITTING, RunPhase.INSTALLING, RunPhase.STARTING)
_LIVE = RunRow.due_at.is_not(None)


async def queue_of(session: AsyncSession, cluster: str, *, now: datetime, ahead: int) -> ClusterQueue:
    """Return a cluster's places and the head of its queue, ``ahead`` runs of each project."""
    of_phase = await session.execute(
        select(RunRow.project, RunRow.phase, func.count())
        .where(RunRow.cluster == cluster, _LIVE, RunRow.phase.in_(ON_CLUSTER))
        .group_by(RunRow.project, RunRow.phase)
    )
    running: dict[str, int] = {}
    starting = 0
    for project, phase, count in of_phase:
        running[project] = running.get(project, 0) + count
        starting += count if phase in _STARTING else 0
    return ClusterQueue(
        running=running,
        starting=starting,
        limits=await _limits(session),
        waiting=await _waiting(session, cluster, now=now, ahead=ahead),
    )


async def load_of(session: AsyncSession, cluster: str) -> ClusterLoad:
    """Return how many runs a cluster has and how many wait for it."""
    silent = func.min(RunRow.cluster_silent_since)
    found = await session.execute(
        select(RunRow.project, RunRow.phase, func.count(), silent)
        .where(RunRow.cluster == cluster, _LIVE, RunRow.phase.in_({*ON_CLUSTER, RunPhase.QUEUED}))
        .group_by(RunRow.project, RunRow.phase)
    )
    running: dict[str, int] = {}
    waiting: dict[str, int] = {}
    starting, silences = 0, list[datetime]()
    for project, phase, count, since in found:
        counts = waiting if phase is RunPhase.QUEUED else running
        counts[project] = counts.get(project, 0) + count
        starting += count if phase in _STARTING else 0
        silences += [since] if since is not None and phase in ON_CLUSTER else []
    return ClusterLoad(
        running=running,
        starting=starting,
        waiting=waiting,
        limits=await _limits(session),
        silent_since=min(silences, default=None),
    )


async def _limits(session: AsyncSession) -> dict[str, int]:
    found = await session.execute(
        select(ProjectRow.id, ProjectRow.max_running).where(ProjectRow.max_running.is_not(None))
    )
    return {project: limit for project, limit in found if limit is not None}


async def _waiting(
    session: AsyncSession, cluster: str, *, now: datetime, ahead: int
) -> tuple[QueuedRun, ...]:
    order = (RunRow.priority.desc(), RunRow.id)
    ranked = (
        select(
            RunRow.id,
            RunRow.project,
            RunRow.priority,
            func.row_number().over(partition_by=RunRow.project, order_by=order).label("rank"),
        )
        .where(_queued(cluster), waits(now))
        .subquery()
    )
    columns = ranked.c
    found = await session.execute(
        select(columns.id, columns.project, columns.priority)
        .where(columns.rank <= ahead)
        .order_by(columns.project, columns.rank)
    )
    return tuple(QueuedRun(id=run, project=project, priority=priority) for run, project, priority in found)


def waits(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a queued run may be given a place now."""
    return and_(
        RunRow.cancel_requested_at.is_(None),
        or_(RunRow.not_before.is_(None), RunRow.not_before <= now),
        or_(RunRow.claim_token.is_(None), RunRow.claim_expires_at <= now),
    )


async def any_queued(session: AsyncSession, cluster: str) -> bool:
    """Tell whether a run is queued, whether or not its time has come."""
    return await session.scalar(select(true()).where(_queued(cluster)).limit(1)) is not None


async def place_of(session: AsyncSession, run: Run) -> QueuePlace:
    """Return where a queued run stands."""
    first = or_(RunRow.priority > run.priority, and_(RunRow.priority == run.priority, RunRow.id < run.id))
    before = select(func.count()).where(_queued(run.cluster), RunRow.project == run.project, first)
    waiting = select(func.count()).where(_queued(run.cluster))
    taken = select(func.count()).where(RunRow.cluster == run.cluster, _LIVE, RunRow.phase.in_(ON_CLUSTER))
    return QueuePlace(
        before=await session.scalar(before) or 0,
        waiting=await session.scalar(waiting) or 0,
        taken=await session.scalar(taken) or 0,
    )


def _queued(cluster: str) -> ColumnElement[bool]:
    return and_(RunRow.cluster == cluster, _LIVE, RunRow.phase == RunPhase.QUEUED)
