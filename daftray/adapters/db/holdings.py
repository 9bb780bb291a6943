"""What is kept of a kind, as SQL that follows a partial index: what went long ago costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal_column, select, tuple_, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.columns import UtcDateTime, moment
from daftray.adapters.db.report_rows import ResultRow
from daftray.adapters.db.rows import AttemptRow, RunRow
from daftray.domain.retention import Holdings, Kept, Kind


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Where a kind is kept. ``kept`` is the condition of its partial index, word for word."""

    run_id: ColumnElement[str]
    attempt: ColumnElement[int]
    size: ColumnElement[int]
    since: ColumnElement[datetime | None]
    kept: ColumnElement[bool]


def _columns(kind: Kind) -> _Columns:
    if kind == "logs":
        return _Columns(
            run_id=AttemptRow.run_id.expression,
            attempt=AttemptRow.number.expression,
            size=AttemptRow.log_size.expression,
            since=AttemptRow.ended_at.expression,
            # Not a parameter: only a condition that is spelled out lets the index be used.
            kept=and_(AttemptRow.log_removed_at.is_(None), AttemptRow.log_size > literal_column("0")),
        )
    return _Columns(
        run_id=ResultRow.run_id.expression,
        attempt=ResultRow.attempt.expression,
        size=ResultRow.size.expression,
        since=type_coerce(ResultRow.reported_at, UtcDateTime()),
        kept=ResultRow.removed_at.is_(None),
    )


async def read(
    session: AsyncSession, kind: Kind, *, now: datetime, after: Kept | None = None, limit: int
) -> Holdings:
    """Return what is kept of a kind, with the oldest of runs that have ended."""
    of = _columns(kind)
    place = tuple_(of.since, of.run_id, of.attempt)
    found = (
        select(of.run_id, of.attempt, of.size, of.since)
        .join(RunRow, RunRow.id == of.run_id)
        .where(of.kept, of.since.is_not(None), RunRow.due_at.is_(None))
        .order_by(of.since, of.run_id, of.attempt)
        .limit(limit)
    )
    if after is not None:
        found = found.where(place > tuple_(moment(after.since), after.run, after.attempt))
    rows = await session.execute(found)
    return Holdings(
        now=now,
        total=int(await session.scalar(select(func.sum(of.size)).where(of.kept)) or 0),
        oldest=tuple(
            Kept(run=run_id, attempt=attempt, size=size, since=since)
            for run_id, attempt, size, since in rows
            if since is not None
        ),
    )


async def size_of(session: AsyncSession, kind: Kind, runs: ColumnElement[bool]) -> int:
    """Return the bytes of a kind that some runs still have."""
    of = _columns(kind)
    found = select(func.sum(of.size)).join(RunRow, RunRow.id == of.run_id).where(of.kept, runs)
    return int(await session.scalar(found) or 0)


async def mark_removed(session: AsyncSession, kind: Kind, kept: Sequence[Kept], *, now: datetime) -> None:
    """Note that these are removed."""
    if not kept:
        return
    if kind == "logs":
        marked = [{"run_id": one.run, "number": one.attempt, "log_removed_at": now} for one in kept]
        await session.execute(update(AttemptRow), marked)
        return
    keys = [(one.run, one.attempt) for one in kept]
    rows = await session.execute(
        select(ResultRow.run_id, ResultRow.attempt, ResultRow.result).where(
            tuple_(ResultRow.run_id, ResultRow.attempt).in_(keys)
        )
    )
    emptied = [
        {"run_id": run_id, "attempt": attempt, "result": result.emptied(now), "removed_at": now}
        for run_id, attempt, result in rows
    ]
    await session.execute(update(ResultRow), emptied)
