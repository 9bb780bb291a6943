"""Integrations of workspaces."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.integration_rows import IntegrationRow
from daftray.domain.errors import IntegrationNotFoundError
from daftray.domain.integration import GithubInstallation, Integration


class SqlIntegrationStore:
    """The `IntegrationStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, integration: Integration) -> Integration:
        """Keep an integration, or return the one that is there."""
        number = integration.github.installation_id
        async with self._database.writing() as session:
            statement = insert(session, IntegrationRow).values(
                id=integration.id,
                workspace=integration.workspace,
                installation_id=number,
                created_by=integration.created_by,
                created_at=integration.created_at,
            )
            await session.execute(
                statement.on_conflict_do_nothing(index_elements=["workspace", "installation_id"])
            )
            kept = select(IntegrationRow).where(
                IntegrationRow.workspace == integration.workspace, IntegrationRow.installation_id == number
            )
            return _integration_of((await session.scalars(kept)).one())

    async def list(self, workspace: str) -> list[Integration]:
        """Return a workspace's integrations, oldest first."""
        of_workspace = select(IntegrationRow).where(IntegrationRow.workspace == workspace)
        async with self._database.reading() as session:
            rows = await session.scalars(of_workspace.order_by(IntegrationRow.id))
            return [_integration_of(row) for row in rows]

    async def delete(self, workspace: str, installation_id: int) -> Integration:
        """Take an integration out and return it. Raises `IntegrationNotFoundError`."""
        gone = delete(IntegrationRow).where(
            IntegrationRow.workspace == workspace, IntegrationRow.installation_id == installation_id
        )
        async with self._database.writing() as session:
            row = (await session.scalars(gone.returning(IntegrationRow))).one_or_none()
            if row is None:
                raise IntegrationNotFoundError
            return _integration_of(row)

    async def workspaces(self, installation_id: int) -> Sequence[str]:
        """Return the workspaces that have recorded an installation."""
        named = select(IntegrationRow.workspace).where(IntegrationRow.installation_id == installation_id)
        async with self._database.reading() as session:
            return list(await session.scalars(named.order_by(IntegrationRow.workspace)))


def _integration_of(row: IntegrationRow) -> Integration:
    return Integration(
        id=row.id,
        workspace=row.workspace,
        github=GithubInstallation(installation_id=row.installation_id),
        created_by=row.created_by,
        created_at=row.created_at,
    )
