"""What runs reported."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import select

from daftray.adapters.db import counters as counter_rows
from daftray.adapters.db import problem_fold
from daftray.adapters.db import series as series_rows
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.report_rows import ReportRow, ResultRow
from daftray.adapters.db.reporters import check_run, note_heard
from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.metrics import UsageSummary
from daftray.domain.problem import ProblemReport
from daftray.domain.report import AttemptReports, FinishedReport, StartedReport
from daftray.domain.result import RunResult
from daftray.domain.series import Series


class SqlReportStore:
    """The `ReportStore` of a database. What each call means is said there.

    Every write raises `RunNotFoundError` for a run that is not there (any more).
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def started(self, run_id: str, report: StartedReport) -> None:
        """Keep the first such report of an attempt."""
        async with self._database.writing() as session:
            await check_run(session, run_id)
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

    async def finished(self, run_id: str, report: FinishedReport, problem: ProblemReport | None) -> None:
        """Keep the first such report of an attempt, and fold the problem in that ended it."""
        async with self._database.writing() as session:
            await check_run(session, run_id)
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
                await problem_fold.fold(session, run_id, report.attempt, [problem])

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
            await check_run(session, run_id)
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

    async def count(self, run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        """Fold counters in: for each process, metric and attributes the greatest value wins."""
        rows = counter_rows.rows_of(run_id, attempt, counters)
        if not rows:
            return
        async with self._database.writing() as session:
            await check_run(session, run_id)
            await counter_rows.fold(session, rows)
            await note_heard(session, run_id, attempt, await self._database.now(session))

    async def totals(self, run_id: str) -> list[CounterTotal]:
        """Return a run's counters, summed over the processes of each attempt."""
        async with self._database.reading() as session:
            return await counter_rows.totals(session, run_id)

    async def sample(self, run_id: str, usage: UsageSummary) -> Series:
        """Note in the run's series what it has used by now, where a step has passed since the last time."""
        async with self._database.writing() as session:
            await check_run(session, run_id)
            known = await series_rows.of_run(session, run_id, to_change=True)
            grown = known.grown(await self._database.now(session), usage)
            if grown is not known:
                await series_rows.put(session, run_id, grown)
        return grown

    async def series(self, run_id: str) -> Series:
        """Return what the run had used at which time."""
        async with self._database.reading() as session:
            return await series_rows.of_run(session, run_id)
