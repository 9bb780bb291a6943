"""Catalogs: tables that runs find by name, under names of the project."""

from __future__ import annotations

from daftray.client._async.connection_calls import AsyncConnectionCalls
from daftray.client._async.place import Place
from daftray.domain.catalog import Catalog
from daftray.domain.connection import ConnectionSort


class AsyncCatalogs(AsyncConnectionCalls[Catalog]):
    """The catalogs of a project."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, ConnectionSort.CATALOG, Catalog)
