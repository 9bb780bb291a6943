"""Exceptions of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec.structs import replace
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import problem_fold
from daftray.adapters.db.database import Database
from daftray.adapters.db.problem_rows import ProblemCountRow, ProblemGroupRow, ProblemSampleRow
from daftray.adapters.db.reporters import check_run, note_heard
from daftray.domain.problem import (
    MOST_SAMPLES,
    Handled,
    Problem,
    ProblemReport,
    ProblemSample,
    gravest,
)


class SqlProblemStore:
    """The `ProblemStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fold(self, run_id: str, attempt: int, reports: Sequence[ProblemReport]) -> None:
        """Fold reports in: for each process and key the greatest count wins, and sums are over them."""
        if not reports:
            return
        async with self._database.writing() as session:
            await check_run(session, run_id)
            await problem_fold.fold(session, run_id, attempt, reports)
            await note_heard(session, run_id, attempt, await self._database.now(session))

    async def problems(self, run_id: str, attempt: int | None = None) -> list[Problem]:
        """Return the problems of a run or of one of its attempts, most frequent first."""
        groups = select(ProblemGroupRow).where(ProblemGroupRow.run_id == run_id)
        if attempt is not None:
            groups = groups.where(ProblemGroupRow.attempt == attempt)
        async with self._database.reading() as session:
            counted = await _counted(session, run_id, attempt)
            found = [
                replace(row.problem, **counted[row.attempt, row.fingerprint])
                for row in await session.scalars(groups)
                if (row.attempt, row.fingerprint) in counted
            ]
        return sorted(found, key=lambda one: (-one.count, one.first_seen, one.attempt, one.fingerprint))

    async def samples(self, run_id: str, fingerprint: str, attempt: int | None = None) -> list[ProblemSample]:
        """Return the samples of a problem, earliest first, at most `MOST_SAMPLES`."""
        row = ProblemSampleRow
        found = select(row.sample).where(row.run_id == run_id, row.fingerprint == fingerprint)
        if attempt is not None:
            found = found.where(row.attempt == attempt)
        order = (row.at, row.attempt, row.digest)
        async with self._database.reading() as session:
            return list(await session.scalars(found.order_by(*order).limit(MOST_SAMPLES)))

    async def stacktrace(self, run_id: str, fingerprint: str, attempt: int) -> str | None:
        """Return the traceback of a problem as Python printed it, where that is known."""
        async with self._database.reading() as session:
            row = await session.get(ProblemGroupRow, (run_id, attempt, fingerprint))
        return row.stacktrace if row else None


async def _counted(
    session: AsyncSession, run_id: str, attempt: int | None
) -> dict[tuple[int, str], dict[str, object]]:
    """Return what the fields of each problem are that its processes decide together."""
    row = ProblemCountRow
    what = (row.attempt, row.fingerprint)
    asked: list[ColumnElement[bool]] = [row.run_id == run_id]
    if attempt is not None:
        asked.append(row.attempt == attempt)
    sums = (func.sum(row.count), func.min(row.first_seen), func.max(row.last_seen))
    totals = await session.execute(select(*what, *sums).where(*asked).group_by(*what))
    found: dict[tuple[int, str], dict[str, object]] = {
        (number, fingerprint): {"count": int(count), "first_seen": first, "last_seen": last}
        for number, fingerprint, count, first, last in totals
    }
    for number, fingerprint, handled in await session.execute(
        select(*what, row.handled).where(*asked).distinct()
    ):
        fields = found[number, fingerprint]
        known = cast("Handled", fields.get("handled", handled))
        fields["handled"] = gravest((known, cast("Handled", handled)))
    return found
