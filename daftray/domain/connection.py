"""A connection: a data source or a catalog as it is kept, with its kind as a word."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from daftray.domain.catalog import Catalog, CatalogInfo
from daftray.domain.data_source import DataSource, DataSourceInfo
from daftray.domain.spec import Environment, Seconds

MOST_CONNECTIONS = 1000
"""Of each sort in a project: a run that names one is told all of their names."""


class ConnectionSort(StrEnum):
    """Which of the two it is."""

    DATA_SOURCE = "data_source"
    CATALOG = "catalog"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A data source or a catalog of a project, under a name that is its own among those of its sort."""

    id: str
    project: str
    sort: ConnectionSort
    name: str
    info: dict[str, object]
    created_at: datetime
    updated_at: datetime

    @property
    def as_data_source(self) -> DataSource:
        """It as the API answers it."""
        info = msgspec.convert(self.info, DataSourceInfo)
        return DataSource(
            id=self.id, name=self.name, info=info, created_at=self.created_at, updated_at=self.updated_at
        )

    @property
    def as_catalog(self) -> Catalog:
        """It as the API answers it."""
        info = msgspec.convert(self.info, CatalogInfo)
        return Catalog(
            id=self.id, name=self.name, info=info, created_at=self.created_at, updated_at=self.updated_at
        )


class ConnectionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is told of its project's connections; no credential is among it."""

    data_sources: list[DataSource]
    catalogs: list[Catalog]


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a check call: where it runs. All of it may be left out."""

    environment: Environment = msgspec.field(default_factory=Environment)
    timeout_s: Seconds | None = None
