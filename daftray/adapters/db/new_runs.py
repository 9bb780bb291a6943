"""How new runs come into the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import asdict
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import run_rows
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.retention_rows import RunSourceRow, source_rows
from daftray.adapters.db.rows import AttemptRow, ProjectRow, RunEventRow, RunLabelRow, RunRow, SecretRow
from daftray.domain.errors import ConflictError, ProjectNotFoundError
from daftray.domain.ports import NewRun


async def hold_project(session: AsyncSession, project_id: str) -> None:
    """Keep a project from going while its runs come. Raises `ProjectNotFoundError`."""
    found = select(ProjectRow.id).where(ProjectRow.id == project_id)
    if await session.scalar(found.with_for_update(read=True, key_share=True)) is None:
        raise ProjectNotFoundError


async def add(session: AsyncSession, new: Sequence[NewRun], *, now: datetime) -> None:
    """Write the rows of new runs. Raises `ConflictError`."""
    try:
        await session.execute(insert(session, RunRow), [run_rows.new_values(one.run, now=now) for one in new])
    except IntegrityError as error:
        raise ConflictError("There is a run of that id already.") from error
    attempts = [{"run_id": one.run.id, **asdict(attempt)} for one in new for attempt in one.run.attempts]
    labels = [
        {"run_id": one.run.id, "project": one.run.project, "key": key, "value": value}
        for one in new
        for key, value in one.run.labels.items()
    ]
    secrets = [asdict(secret) for one in new for secret in one.secrets]
    sources = [row for one in new for row in source_rows(one.run)]
    events = [{"run_id": one.run.id, "seq": 1, "event": one.event} for one in new]
    for table, rows in (
        (AttemptRow, attempts),
        (RunLabelRow, labels),
        (SecretRow, secrets),
        (RunSourceRow, sources),
        (RunEventRow, events),
    ):
        if rows:
            await session.execute(insert(session, table), rows)
