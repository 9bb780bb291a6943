"""Data sources and catalogs have the same pages; what differs between them is here."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest
from daftray.domain.catalog import CatalogInfo, CatalogRequest
from daftray.domain.connection import Connection, ConnectionSort
from daftray.domain.data_source import DataSourceInfo, DataSourceRequest
from daftray.domain.principal import Role
from daftray.domain.project import Project
from daftray.identity.access import Place
from daftray.projects.connections import Connections
from daftray.projects.secrets import ProjectSecrets
from daftray.web.places import NAMED, project_page


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: how its pages are called, and of what type its requests are."""

    sort: ConnectionSort
    folder: str
    heading: str
    word: str
    command: str
    request: type[DataSourceRequest | CatalogRequest]
    info: type[DataSourceInfo | CatalogInfo]

    @property
    def kinds(self) -> dict[str, type[msgspec.Struct]]:
        """The kinds, each with its type."""
        fields = msgspec.structs.fields(self.info)
        return {field.name: typing.get_args(field.type)[0] for field in fields}


DATA_SOURCES = Sort(
    sort=ConnectionSort.DATA_SOURCE,
    folder="data-sources",
    heading="Data sources",
    word="data source",
    command="daftray data-sources list",
    request=DataSourceRequest,
    info=DataSourceInfo,
)
CATALOGS = Sort(
    sort=ConnectionSort.CATALOG,
    folder="catalogs",
    heading="Catalogs",
    word="catalog",
    command="daftray catalogs list",
    request=CatalogRequest,
    info=CatalogInfo,
)


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """The sort that a page is about, where its pages are, and what the caller may do there."""

    sort: Sort
    address: str
    may_change: bool
    may_run: bool
    secret_names: list[str]

    def page_of(self, connection: Connection) -> str:
        """Return the address of one's page."""
        return f"{self.address}/{connection.id}"

    def frame(self, **more: Any) -> dict[str, Any]:  # templates take anything
        """Return what the templates get."""
        return {"here": self, "heading": self.sort.heading, **more}


async def provide_here(
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    sort: NamedDependency[SkipValidation[Sort]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
) -> Here:
    """Return what the path is about."""
    role = place.role or 0
    return Here(
        sort=sort,
        address=f"{project_page(place)}/{sort.folder}",
        may_change=role >= Role.ADMIN,
        may_run=role >= Role.RUNNER,
        secret_names=[secret.name for secret in await project_secrets.list(home.id)],
    )


async def provide_connection(
    request: AnyRequest,
    home: NamedDependency[SkipValidation[Project]],
    here: NamedDependency[SkipValidation[Here]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> Connection:
    """Return the one that the path names. Raises `DataSourceNotFoundError`, `CatalogNotFoundError`."""
    sort = here.sort.sort
    return await connections.get(home, sort, request.path_params[sort.value])


OF_A_SORT = {**NAMED, "here": Provide(provide_here), "connection": Provide(provide_connection)}
"""What handlers of these pages may ask for."""
