# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Catalogs: tables that runs find by name, under names of the project."""

from __future__ import annotations

from daftray.client._sync.connection_calls import ConnectionCalls
from daftray.client._sync.place import Place
from daftray.domain.catalog import Catalog
from daftray.domain.connection import ConnectionSort


class Catalogs(ConnectionCalls[Catalog]):
    """The catalogs of a project."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, ConnectionSort.CATALOG, Catalog)
