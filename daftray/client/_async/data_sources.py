"""Data sources: what runs read, under names of the project."""

from __future__ import annotations

from daftray.client._async.connection_calls import AsyncConnectionCalls
from daftray.client._async.place import Place
from daftray.domain.connection import ConnectionSort
from daftray.domain.data_source import DataSource


class AsyncDataSources(AsyncConnectionCalls[DataSource]):
    """The data sources of a project."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, ConnectionSort.DATA_SOURCE, DataSource)
