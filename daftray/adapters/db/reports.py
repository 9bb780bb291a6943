"""What runs reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import counters as counter_rows
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.report_rows import ProblemRow, ReportRow, ResultRow
from daftray.adapters.db.rows import RunRow
from daftray.domain.errors import RunNotFoundError
from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.problem import Problem
from daftray.domain.report import AttemptReports, FinishedReport, StartedReport
from daftray.domain.result import RunResult


class SqlReportStore:
    """The `ReportStore` of a database. What each call means is said there.

    Every write raises `RunNotFoundError` for a run that is not there (any more).
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def started(self, run_id: str, report: StartedReport) -> None:
        """Keep the first such report of an attempt."""
        async with self._database.writing() as session:
            await _check(session, run_id)
            statement = insert(session, ReportRow).values(
                run_id=run_id, attempt=report.attempt, started=report
            )
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=["run_id", "attempt"],
                    set_={"started": statement.excluded.started},
                    where=ReportRow.started.is_(None),
                )
            )

    async def finished(self, run_id: str, report: FinishedReport, problem: Problem | None) -> None:
        """Keep the first such report of an attempt, with the problem that ended it."""
        async with self._database.writing() as session:
            await _check(session, run_id)
            statement = insert(session, ReportRow).values(
                run_id=run_id, attempt=report.attempt, finished=report
            )
            first = await session.scalars(
                statement.on_conflict_do_update(
                    index_elements=["run_id", "attempt"],
                    set_={"finished": statement.excluded.finished},
                    where=ReportRow.finished.is_(None),
                ).returning(ReportRow.attempt)
            )
            if first.one_or_none() is not None and problem is not None:
                await _add_problem(session, run_id, problem)

    async def reports(self, run_id: str, attempt: int) -> AttemptReports:
        """Return what has come in of an attempt."""
        async with self._database.reading() as session:
            row = await session.get(ReportRow, (run_id, attempt))
        if row is None:
            return AttemptReports()
        return AttemptReports(started=row.started, finished=row.finished, heard_at=row.heard_at)

    async def put_result(self, run_id: str, result: RunResult) -> None:
        """Keep an attempt's result, beside those of other attempts."""
        async with self._database.writing() as session:
            await _check(session, run_id)
            now, kept = await self._database.now(session), replace(result, removed_at=None)
            values = {"result": kept, "size": kept.kept_size, "reported_at": now}
            statement = insert(session, ResultRow).values(run_id=run_id, attempt=result.attempt, **values)
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=["run_id", "attempt"],
                    set_={"removed_at": None, **{name: statement.excluded[name] for name in values}},
                )
            )

    async def result(self, run_id: str) -> RunResult | None:
        """Return the result of the newest attempt that has one."""
        newest = select(ResultRow.result).where(ResultRow.run_id == run_id).order_by(ResultRow.attempt.desc())
        async with self._database.reading() as session:
            return await session.scalar(newest.limit(1))

    async def problems(self, run_id: str, attempt: int | None = None) -> list[Problem]:
        """Return problems, most frequent first."""
        found = select(ProblemRow).where(ProblemRow.run_id == run_id)
        if attempt is not None:
            found = found.where(ProblemRow.attempt == attempt)
        order = (ProblemRow.count.desc(), ProblemRow.first_seen, ProblemRow.attempt, ProblemRow.fingerprint)
        async with self._database.reading() as session:
            rows = await session.scalars(found.order_by(*order))
            return [_problem_of(row) for row in rows]

    async def count(self, run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        """Fold counters in: for each process, metric and attributes the greatest value wins."""
        rows = counter_rows.rows_of(run_id, attempt, counters)
        if not rows:
            return
        async with self._database.writing() as session:
            await _check(session, run_id)
            await counter_rows.fold(session, rows)
            await _note_heard(session, run_id, attempt, await self._database.now(session))

    async def totals(self, run_id: str) -> list[CounterTotal]:
        """Return a run's counters, summed over the processes of each attempt."""
        async with self._database.reading() as session:
            return await counter_rows.totals(session, run_id)


async def _check(session: AsyncSession, run_id: str) -> None:
    """Make sure that the run is there, and stays until the transaction ends."""
    found = select(RunRow.id).where(RunRow.id == run_id).with_for_update(read=True, key_share=True)
    if await session.scalar(found) is None:
        raise RunNotFoundError(f"There is no run {run_id}.")


async def _note_heard(session: AsyncSession, run_id: str, attempt: int, now: datetime) -> None:
    of_attempt = (ReportRow.run_id == run_id, ReportRow.attempt == attempt)
    await session.execute(update(ReportRow).where(*of_attempt).values(heard_at=now))


async def _add_problem(session: AsyncSession, run_id: str, problem: Problem) -> None:
    """Count a problem with its equals: the first one's text stays."""
    statement = insert(session, ProblemRow).values(
        run_id=run_id,
        attempt=problem.attempt,
        fingerprint=problem.fingerprint,
        problem=problem,
        count=problem.count,
        first_seen=problem.first_seen,
        last_seen=problem.last_seen,
    )
    new = statement.excluded
    first, last = ProblemRow.first_seen, ProblemRow.last_seen
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "attempt", "fingerprint"],
            set_={
                "count": ProblemRow.count + new["count"],
                "first_seen": case((first <= new.first_seen, first), else_=new.first_seen),
                "last_seen": case((last >= new.last_seen, last), else_=new.last_seen),
            },
        )
    )


def _problem_of(row: ProblemRow) -> Problem:
    return replace(row.problem, count=row.count, first_seen=row.first_seen, last_seen=row.last_seen)
