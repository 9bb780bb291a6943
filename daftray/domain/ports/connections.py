"""Where data sources and catalogs are kept."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.connection import Connection, ConnectionSort


class ConnectionStore(Protocol):
    """Data sources and catalogs of projects. They go with their project."""

    async def add(self, connection: Connection, *, most: int) -> None:
        """Keep a new one.

        Raises:
            ProjectNotFoundError: there is no such project.
            NameTakenError: the project has one of that sort and name.
            ConflictError: the project has ``most`` of that sort.
        """
        ...

    async def get(self, project: str, sort: ConnectionSort, id_or_name: str) -> Connection:
        """Return one; an id wins over a name. Raises `DataSourceNotFoundError`, `CatalogNotFoundError`."""
        ...

    async def list(
        self, project: str, sort: ConnectionSort, *, limit: int, offset: int = 0
    ) -> list[Connection]:
        """Return a project's, by name."""
        ...

    async def save(self, connection: Connection) -> None:
        """Write a changed one. Raises `NameTakenError` and the errors of `get`."""
        ...

    async def delete(self, project: str, sort: ConnectionSort, connection_id: str) -> None:
        """Remove one. Raises the errors of `get`."""
        ...
