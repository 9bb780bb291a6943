"""Counts of all runs together: noted while runs end, read without a look at any that has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import and_, case, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.columns import UtcDateTime
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import WorkspaceRow
from daftray.adapters.db.report_rows import ReportRow
from daftray.adapters.db.rows import ProjectRow, Row, RunRow
from daftray.adapters.db.tally_rows import EndedPhasesRow, EndedRunsRow, EndedUsageRow
from daftray.domain.metrics import UsageSummary
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunPhase
from daftray.domain.tally import (
    PHASE_SECONDS,
    USED,
    EndedRuns,
    LiveRuns,
    PhaseTimes,
    ProjectUsage,
    Silence,
    Tallies,
    bucket_of,
    project_label,
)

_LIVE = and_(RunRow.due_at.is_not(None), RunRow.phase.in_([it for it in RunPhase if it is not RunPhase.DONE]))
"""Runs that have not ended. The phases say to SQLite which index is meant: it took one of all runs."""


class SqlTallyStore:
    """The `TallyStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> Tallies:
        """Return the counts of one moment."""
        async with self._database.reading() as session:
            now = await self._database.now(session)
            names = await _names(session)
            return Tallies(
                ended=await _ended(session, names),
                live=await _live(session, names, now),
                silent=await _silent(session, names, now),
                usage=await _usage(session, names),
                phases=await _phases(session),
            )


async def _names(session: AsyncSession) -> dict[str, str]:
    """Return what projects are called, by id, in the order of that."""
    found = await session.execute(
        select(ProjectRow.id, ProjectRow.name, ProjectRow.workspace, WorkspaceRow.name).outerjoin(
            WorkspaceRow, WorkspaceRow.id == ProjectRow.workspace
        )
    )
    names = {
        id_: project_label(name, workspace, workspace_name) for id_, name, workspace, workspace_name in found
    }
    return dict(sorted(names.items(), key=lambda one: one[1]))


async def note_end(session: AsyncSession, run: Run, usage: UsageSummary | None) -> None:
    """Count a run that ends in this transaction. All take the rows in one order: no two wait crosswise."""
    ended = {"project": run.project, "status": run.status, "reason": run.reason or "", "count": 1}
    await _add(session, EndedRunsRow, [ended], ("project", "status", "reason"))
    used = _used(usage)
    if any(used.values()):
        await _add(session, EndedUsageRow, [{"project": run.project, **used}], ("project",))
    phases = [
        {"phase": RunPhase(phase), "bucket": bucket_of(seconds), "count": 1, "seconds": seconds}
        for phase, seconds in sorted(run.timings.items())
    ]
    if phases:
        await _add(session, EndedPhasesRow, phases, ("phase", "bucket"))


def _used(usage: UsageSummary | None) -> dict[str, float]:
    """Return what is known of a usage, by the names of `USED`."""
    known = usage or UsageSummary()
    used: dict[str, float] = {name: getattr(known, name) or 0.0 for name in USED}
    return {**used, "cost": known.cost_at_least or 0.0}


async def _add(
    session: AsyncSession,
    table: type[Row],
    rows: list[dict[str, Any]],  # Any: column values of every type
    key: tuple[str, ...],
) -> None:
    """Add rows to those of the same key, number by number."""
    statement = insert(session, table)
    new = statement.excluded
    sums = {name: getattr(table, name) + new[name] for name in rows[0] if name not in key}
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=sums), rows)


async def _ended(session: AsyncSession, names: dict[str, str]) -> tuple[EndedRuns, ...]:
    rows = list(await session.scalars(select(EndedRunsRow)))
    return tuple(
        EndedRuns(
            project=names[row.project],
            status=row.status,
            reason=FailureReason(row.reason) if row.reason else None,
            count=row.count,
        )
        for row in sorted(rows, key=lambda row: (names[row.project], row.status, row.reason))
    )


async def _live(session: AsyncSession, names: dict[str, str], now: datetime) -> tuple[LiveRuns, ...]:
    what = (RunRow.project, RunRow.phase)
    found = await session.execute(
        select(*what, func.count(), func.min(RunRow.phase_since)).where(_LIVE).group_by(*what)
    )
    return tuple(
        LiveRuns(
            project=names[project],
            phase=phase,
            count=count,
            oldest_s=max(0.0, (now - since).total_seconds()),
        )
        for project, phase, count, since in sorted(found, key=lambda one: (names[one[0]], one[1]))
    )


async def _silent(session: AsyncSession, names: dict[str, str], now: datetime) -> tuple[Silence, ...]:
    """Return since when nothing was heard, at the latest since the attempt was there."""
    of_attempt = and_(ReportRow.run_id == RunRow.id, ReportRow.attempt == RunRow.attempt)
    heard = func.coalesce(ReportRow.heard_at, RunRow.phase_since)
    last = func.min(case((heard > RunRow.phase_since, heard), else_=RunRow.phase_since))
    found = await session.execute(
        select(RunRow.project, type_coerce(last, UtcDateTime()))
        .join(ReportRow, of_attempt)
        .where(RunRow.due_at.is_not(None), RunRow.phase == RunPhase.RUNNING)
        .group_by(RunRow.project)
    )
    return tuple(
        Silence(project=names[project], longest_s=max(0.0, (now - since).total_seconds()))
        for project, since in sorted(found, key=lambda one: names[one[0]])
    )


async def _usage(session: AsyncSession, names: dict[str, str]) -> tuple[ProjectUsage, ...]:
    """Return the sums of ended runs and of those that go on: few, however many have ended."""
    sums = {name: ProjectUsage(project=name) for name in names.values()}
    for row in await session.scalars(select(EndedUsageRow)):
        of_ended = {name: getattr(row, name) for name in USED}
        sums[names[row.project]] = ProjectUsage(project=names[row.project], **of_ended)
    going_on = select(RunRow.project, RunRow.usage).where(_LIVE, RunRow.usage.is_not(None))
    for project, usage in await session.execute(going_on):
        known = sums[names[project]]
        added = {name: getattr(known, name) + amount for name, amount in _used(usage).items()}
        sums[names[project]] = replace(known, **added)
    return tuple(sums.values())


async def _phases(session: AsyncSession) -> tuple[PhaseTimes, ...]:
    times: dict[RunPhase, PhaseTimes] = {}
    for row in await session.scalars(select(EndedPhasesRow).order_by(EndedPhasesRow.phase)):
        nothing = PhaseTimes(phase=row.phase, counts=(0,) * (len(PHASE_SECONDS) + 1), seconds=0.0)
        known = times.get(row.phase, nothing)
        counts = list(known.counts)
        counts[row.bucket] += row.count
        times[row.phase] = replace(known, counts=tuple(counts), seconds=known.seconds + row.seconds)
    return tuple(times.values())
