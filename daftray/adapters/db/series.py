"""Series of runs: what each had used at which time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.dialect import insert
from daftray.adapters.db.report_rows import SeriesRow
from daftray.domain.series import Series


async def of_run(session: AsyncSession, run_id: str, *, to_change: bool = False) -> Series:
    """Return a run's series; others that would change it wait until this transaction is over."""
    asked = select(SeriesRow.series).where(SeriesRow.run_id == run_id)
    return await session.scalar(asked.with_for_update() if to_change else asked) or Series()


async def put(session: AsyncSession, run_id: str, series: Series) -> None:
    """Keep a run's series in place of what was there."""
    statement = insert(session, SeriesRow).values(run_id=run_id, series=series)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["run_id"], set_={"series": statement.excluded.series})
    )
