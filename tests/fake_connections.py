"""Data sources and catalogs in memory."""

from __future__ import annotations

from fake_memory import Memory
from msgspec.structs import replace

from daftray.domain.connection import Connection, ConnectionSort
from daftray.domain.errors import (
    CatalogNotFoundError,
    ConflictError,
    DataSourceNotFoundError,
    NameTakenError,
    ProjectNotFoundError,
)


class InMemoryConnectionStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._kept = self._memory.connections

    async def add(self, connection: Connection, *, most: int) -> None:
        if self._memory.strict and connection.project not in self._memory.projects:
            raise ProjectNotFoundError
        if len(self._of(connection.project, connection.sort)) >= most:
            raise ConflictError
        if connection.id in self._kept:
            raise NameTakenError
        self._check_name(connection)
        self._kept[connection.id] = connection

    async def get(self, project: str, sort: ConnectionSort, id_or_name: str) -> Connection:
        for field in ("id", "name"):
            for one in self._of(project, sort):
                if getattr(one, field) == id_or_name:
                    return one
        raise _not_found(sort)

    async def list(
        self, project: str, sort: ConnectionSort, *, limit: int, offset: int = 0
    ) -> list[Connection]:
        return sorted(self._of(project, sort), key=lambda one: one.name)[offset : offset + limit]

    async def save(self, connection: Connection) -> None:
        before = self._found(connection.project, connection.sort, connection.id)
        self._check_name(connection)
        self._kept[before.id] = replace(connection, created_at=before.created_at)

    async def delete(self, project: str, sort: ConnectionSort, connection_id: str) -> None:
        del self._kept[self._found(project, sort, connection_id).id]

    def _of(self, project: str, sort: ConnectionSort) -> list[Connection]:
        return [one for one in self._kept.values() if (one.project, one.sort) == (project, sort)]

    def _found(self, project: str, sort: ConnectionSort, connection_id: str) -> Connection:
        for one in self._of(project, sort):
            if one.id == connection_id:
                return one
        raise _not_found(sort)

    def _check_name(self, connection: Connection) -> None:
        for other in self._of(connection.project, connection.sort):
            if other.name == connection.name and other.id != connection.id:
                raise NameTakenError


def _not_found(sort: ConnectionSort) -> Exception:
    return CatalogNotFoundError() if sort is ConnectionSort.CATALOG else DataSourceNotFoundError()
