"""Runs that report: whether they are there, and when they were last heard of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.report_rows import ReportRow
from daftray.adapters.db.rows import RunRow
from daftray.domain.errors import RunNotFoundError


async def check_run(session: AsyncSession, run_id: str) -> None:
    """Make sure that the run is there, and stays until the transaction ends. Raises `RunNotFoundError`."""
    found = select(RunRow.id).where(RunRow.id == run_id).with_for_update(read=True, key_share=True)
    if await session.scalar(found) is None:
        raise RunNotFoundError(f"There is no run {run_id}.")


async def note_heard(session: AsyncSession, run_id: str, attempt: int, now: datetime) -> None:
    """Note that an attempt that has reported before is alive."""
    of_attempt = (ReportRow.run_id == run_id, ReportRow.attempt == attempt)
    await session.execute(update(ReportRow).where(*of_attempt).values(heard_at=now))
