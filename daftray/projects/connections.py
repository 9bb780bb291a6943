"""Data sources and catalogs of a project: create, get, list, replace, delete."""

from __future__ import annotations

from typing import cast

import msgspec
from msgspec.structs import replace

from daftray.domain.catalog import CatalogInfo, CatalogRequest
from daftray.domain.connection import MOST_CONNECTIONS, Connection, ConnectionsAnswer, ConnectionSort
from daftray.domain.data_source import DataSourceInfo, DataSourceRequest
from daftray.domain.ids import Ids, Kind
from daftray.domain.ports import Clock, ConnectionStore
from daftray.domain.project import Project

_IDS: dict[ConnectionSort, Kind] = {ConnectionSort.DATA_SOURCE: "src", ConnectionSort.CATALOG: "cat"}


class Connections:
    """The use cases of data sources and catalogs, which differ in what their infos are only."""

    def __init__(self, *, store: ConnectionStore, ids: Ids, clock: Clock) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock

    async def create(self, project: Project, request: DataSourceRequest | CatalogRequest) -> Connection:
        """Keep a new one. Raises `NameTakenError`, and `ConflictError` where there are too many."""
        now = self._clock.now()
        sort = sort_of(request)
        connection = Connection(
            id=self._ids.new(_IDS[sort], now),
            project=project.id,
            sort=sort,
            name=request.name,
            info=_plain(request.info),
            created_at=now,
            updated_at=now,
        )
        await self._store.add(connection, most=MOST_CONNECTIONS)
        return connection

    async def get(self, project: Project, sort: ConnectionSort, id_or_name: str) -> Connection:
        """Return one. Raises `DataSourceNotFoundError`, `CatalogNotFoundError`."""
        return await self._store.get(project.id, sort, id_or_name)

    async def list(
        self, project: Project, sort: ConnectionSort, *, limit: int, offset: int
    ) -> list[Connection]:
        """Return a project's, by name."""
        return await self._store.list(project.id, sort, limit=limit, offset=offset)

    async def replace(
        self, project: Project, id_or_name: str, request: DataSourceRequest | CatalogRequest
    ) -> Connection:
        """Put another name and info in place of what one has. Raises `NameTakenError` and those of `get`."""
        before = await self._store.get(project.id, sort_of(request), id_or_name)
        changed = replace(before, name=request.name, info=_plain(request.info), updated_at=self._clock.now())
        await self._store.save(changed)
        return changed

    async def delete(self, project: Project, sort: ConnectionSort, id_or_name: str) -> None:
        """Remove one. Raises those of `get`."""
        found = await self._store.get(project.id, sort, id_or_name)
        await self._store.delete(project.id, sort, found.id)

    async def of_project(self, project_id: str) -> ConnectionsAnswer:
        """Return all of a project's, for a run of it that names some."""
        sources, catalogs = [
            await self._store.list(project_id, sort, limit=MOST_CONNECTIONS) for sort in ConnectionSort
        ]
        return ConnectionsAnswer(
            data_sources=[one.as_data_source for one in sources],
            catalogs=[one.as_catalog for one in catalogs],
        )


def sort_of(request: DataSourceRequest | CatalogRequest) -> ConnectionSort:
    """Return which of the two a request is about."""
    return ConnectionSort.CATALOG if isinstance(request, CatalogRequest) else ConnectionSort.DATA_SOURCE


def _plain(info: DataSourceInfo | CatalogInfo) -> dict[str, object]:
    return cast("dict[str, object]", msgspec.to_builtins(info))
