"""Workspaces."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import case, or_, select
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import WorkspaceRow
from daftray.domain.errors import NameTakenError, WorkspaceNotFoundError
from daftray.domain.workspace import Workspace


class SqlWorkspaceStore:
    """The `WorkspaceStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, workspace: Workspace) -> None:
        """Keep a new workspace. Raises `NameTakenError`."""
        async with self._database.writing() as session:
            try:
                await session.execute(insert(session, WorkspaceRow).values(asdict(workspace)))
            except IntegrityError as error:
                raise NameTakenError(
                    f"There is a workspace {workspace.name!r} already: choose another name."
                ) from error

    async def get(self, id_or_name: str) -> Workspace:
        """Return a workspace; an id wins over a name. Raises `WorkspaceNotFoundError`."""
        by_id = WorkspaceRow.id == id_or_name
        async with self._database.reading() as session:
            row = await session.scalar(
                select(WorkspaceRow)
                .where(or_(by_id, WorkspaceRow.name == id_or_name))
                .order_by(case((by_id, 0), else_=1))
                .limit(1)
            )
            if row is None:
                raise WorkspaceNotFoundError
            return msgspec.convert(row, Workspace, from_attributes=True)

    async def list(self) -> list[Workspace]:
        """Return all workspaces by name."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(WorkspaceRow).order_by(WorkspaceRow.name))
            return [msgspec.convert(row, Workspace, from_attributes=True) for row in rows]
