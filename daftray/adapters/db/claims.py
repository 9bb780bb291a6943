"""Claims: who may change which run, until when.

A claim moves ``due_at`` to its own end: the run is due again when its holder is late. So the index of due
runs holds no held ones, and a run whose ``due_at`` is *before* its claim's end was woken meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.columns import moment
from daftray.adapters.db.queue import waits
from daftray.adapters.db.rows import RunRow
from daftray.domain.ports import Claim
from daftray.domain.status import RunPhase


async def take(session: AsyncSession, claim: Claim, *, now: datetime, limit: int) -> list[str]:
    """Claim due runs; return their ids, oldest first by due time, then id.

    PostgreSQL's claimers skip the rows that another is about to take; SQLite's wait for each other.
    """
    free = or_(RunRow.claim_token.is_(None), RunRow.claim_expires_at <= now)
    found = await session.execute(
        select(RunRow.id)
        .where(RunRow.due_at <= now, free)
        .order_by(RunRow.due_at, RunRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(found.scalars())
    await hold(session, claim, ids, now=now)
    return ids


async def hold(session: AsyncSession, claim: Claim, run_ids: Sequence[str], *, now: datetime) -> None:
    """Note a claim of runs that this transaction has locked."""
    if run_ids:
        ends = now + claim.lease
        await session.execute(
            update(RunRow)
            .where(RunRow.id.in_(run_ids))
            .values(claim_token=claim.token, claim_expires_at=ends, due_at=ends)
        )


async def lock_waiting(session: AsyncSession, run_ids: Sequence[str], *, now: datetime) -> list[str]:
    """Lock those of the queued runs that still wait, in the order given; one that is held now is left."""
    found = await session.execute(
        select(RunRow.id)
        .where(RunRow.id.in_(run_ids), RunRow.phase == RunPhase.QUEUED, waits(now))
        .with_for_update(skip_locked=True)
    )
    waiting = set(found.scalars())
    return [run_id for run_id in run_ids if run_id in waiting]


async def renew(session: AsyncSession, claim: Claim, run_ids: Sequence[str], *, now: datetime) -> None:
    """Move the end of held claims; a wake that came in meanwhile stays, and so does a run's end."""
    ends = now + claim.lease
    await session.execute(
        update(RunRow)
        .where(RunRow.id.in_(run_ids), held(claim), RunRow.due_at.is_not(None))
        .values(claim_expires_at=ends, due_at=case((_woken(), RunRow.due_at), else_=moment(ends)))
    )


async def release(session: AsyncSession, run_id: str, claim: Claim, *, due_at: datetime) -> None:
    """Give a run back. If it was woken while it was held, that counts, if it is earlier."""
    woken_earlier = and_(_woken(), RunRow.due_at < due_at)
    await session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, held(claim))
        .values(
            claim_token=None,
            claim_expires_at=None,
            due_at=case((or_(RunRow.due_at.is_(None), woken_earlier), RunRow.due_at), else_=moment(due_at)),
        )
    )


def held(claim: Claim) -> ColumnElement[bool]:
    """Return the condition that a claim still holds the run.

    The token alone decides: a claim that has run out is still good until somebody else takes the run.
    """
    return RunRow.claim_token == claim.token


def _woken() -> ColumnElement[bool]:
    return func.coalesce(RunRow.due_at < RunRow.claim_expires_at, False)
