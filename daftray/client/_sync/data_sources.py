# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Data sources: what runs read, under names of the project."""

from __future__ import annotations

from daftray.client._sync.connection_calls import ConnectionCalls
from daftray.client._sync.place import Place
from daftray.domain.connection import ConnectionSort
from daftray.domain.data_source import DataSource


class DataSources(ConnectionCalls[DataSource]):
    """The data sources of a project."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, ConnectionSort.DATA_SOURCE, DataSource)
