"""Prices of projects, version by version."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Select, case, select

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.price_rows import PriceTableRow
from daftray.adapters.db.rows import ProjectRow, RunRow
from daftray.domain.errors import PricesNotFoundError, ProjectNotFoundError
from daftray.domain.price import PriceTable, PriceTableRequest


class SqlPriceStore:
    """The `PriceStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, project_id: str, request: PriceTableRequest, *, created_by: str, created_at: datetime
    ) -> PriceTable:
        """Keep a table as the project's next version. Raises `ProjectNotFoundError`."""
        async with self._database.writing() as session:
            # Who sets prices at the same time waits, and takes the number after ours.
            found = select(ProjectRow.id).where(ProjectRow.id == project_id)
            if await session.scalar(found.with_for_update(key_share=True)) is None:
                raise ProjectNotFoundError
            newest = await session.scalar(_versions(project_id).limit(1))
            prices = tuple(request.prices)
            if newest is not None and newest.prices == prices:
                return _table_of(newest)
            table = PriceTable(
                version=newest.version + 1 if newest else 1,
                prices=prices,
                note=request.note,
                created_by=created_by,
                created_at=created_at,
            )
            values = {"project": project_id, **msgspec.structs.asdict(table)}
            await session.execute(insert(session, PriceTableRow).values(values))
        return table

    async def latest(self, project_id: str) -> PriceTable | None:
        """Return the newest version, if there is any."""
        async with self._database.reading() as session:
            row = await session.scalar(_versions(project_id).limit(1))
        return None if row is None else _table_of(row)

    async def get(self, project_id: str, version: int) -> PriceTable:
        """Return a version. Raises `PricesNotFoundError`."""
        async with self._database.reading() as session:
            row = await session.get(PriceTableRow, (project_id, version))
        if row is None:
            raise PricesNotFoundError(f"The project has no version {version} of its prices.")
        return _table_of(row)

    async def list(self, project_id: str, *, limit: int, offset: int) -> list[PriceTable]:
        """Return versions, newest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(_versions(project_id).limit(limit).offset(offset))
            return [_table_of(row) for row in rows]

    async def of_run(self, run_id: str) -> PriceTable | None:
        """Return the version that counts for a run."""
        # The newest from before the run has the greatest number; without one, that is the first version.
        version = PriceTableRow.version
        rank = case((PriceTableRow.created_at <= RunRow.created_at, version), else_=-version)
        async with self._database.reading() as session:
            row = await session.scalar(
                select(PriceTableRow)
                .join(RunRow, RunRow.project == PriceTableRow.project)
                .where(RunRow.id == run_id)
                .order_by(rank.desc())
                .limit(1)
            )
        return None if row is None else _table_of(row)


def _versions(project_id: str) -> Select[PriceTableRow]:
    return (
        select(PriceTableRow)
        .where(PriceTableRow.project == project_id)
        .order_by(PriceTableRow.version.desc())
    )


def _table_of(row: PriceTableRow) -> PriceTable:
    return msgspec.convert(row, PriceTable, from_attributes=True)
