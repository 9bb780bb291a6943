"""The audit log."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, select

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import AuditRow
from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.domain.ids import earliest_id, earliest_id_of


class SqlAuditStore:
    """The `AuditStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        """Keep an entry."""
        async with self._database.writing() as session:
            await session.execute(insert(session, AuditRow).values(asdict(entry)))

    async def list(self, query: AuditQuery) -> list[AuditEntry]:
        """Return entries, newest first."""
        found = select(AuditRow).order_by(AuditRow.id.desc()).limit(query.limit)
        for column, wanted in (
            (AuditRow.workspace, query.workspace),
            (AuditRow.project, query.project),
            (AuditRow.actor, query.actor),
            (AuditRow.actor_name, query.actor_name),
            (AuditRow.action, query.action),
        ):
            if wanted is not None:
                found = found.where(column == wanted)
        if query.target is not None:
            found = found.where(AuditRow.target.icontains(query.target, autoescape=True))
        if query.before is not None:
            found = found.where(AuditRow.id < query.before)
        found = found.where(*_within(query))
        async with self._database.reading() as session:
            return [
                msgspec.convert(row, AuditEntry, from_attributes=True) for row in await session.scalars(found)
            ]


def _within(query: AuditQuery) -> list[ColumnElement[bool]]:
    """Return the conditions on the time. Ids hold it too, to a millisecond, and have the indexes."""
    conditions: list[ColumnElement[bool]] = []
    if query.since is not None:
        conditions += [AuditRow.at >= query.since, AuditRow.id >= earliest_id("aud", query.since)]
    if query.until is not None:
        past = max(
            0, int(query.until.timestamp() * 1000) + 2
        )  # none of its millisecond, however it is rounded
        conditions += [AuditRow.at < query.until, AuditRow.id < earliest_id_of("aud", past)]
    return conditions
