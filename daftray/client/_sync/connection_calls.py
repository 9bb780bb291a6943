# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""What data sources and catalogs have in common: a name, and an info that says which kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from daftray.client._sync.connection import decode, segment
from daftray.client._sync.place import Place
from daftray.client.answers import ConnectionsAnswer, RunAnswer
from daftray.client.asked import parameters
from daftray.domain.catalog import Catalog, CatalogInfo
from daftray.domain.connection import CheckRequest, ConnectionSort
from daftray.domain.data_source import DataSource, DataSourceInfo
from daftray.domain.errors import CatalogNotFoundError, DataSourceNotFoundError
from daftray.domain.run import Run
from daftray.domain.spec import Environment

Kept = TypeVar("Kept", DataSource, Catalog)
Info = DataSourceInfo | CatalogInfo | Mapping[str, Any]
"""An info as a type or as the API's JSON, which the server checks field by field."""
_PAGE_SIZE = 200


class ConnectionCalls(Generic[Kept]):
    """The calls of one sort. Each thing is named by its name or id."""

    def __init__(self, place: Place, sort: ConnectionSort, kind: type[Kept]) -> None:
        self._place = place
        self._sort = sort
        self._kind = kind

    def list(self) -> list[Kept]:
        """Return all of the project, by name."""
        found: dict[str, Kept] = {}
        while True:
            query = parameters(limit=_PAGE_SIZE, offset=len(found))
            answer = self._place.connection.get(self._path(), ConnectionsAnswer, parameters=query)
            page = [msgspec.convert(one, self._kind) for one in answer.of(self._sort)]
            fresh = {one.id: one for one in page if one.id not in found}
            found.update(fresh)
            # A page without anything new ends it too, or a server that ignores `offset` would never end it.
            if len(page) < _PAGE_SIZE or not fresh:
                return list(found.values())

    def get(self, name: str) -> Kept:
        """Return one. Raises `DataSourceNotFoundError` or `CatalogNotFoundError`."""
        return self._place.connection.get(self._path(name), self._kind)

    def create(self, name: str, info: Info) -> Kept:
        """Keep a new one. Credentials are named in its info, never given: they are secrets of the project.

        Raises:
            InvalidInputError: with every issue and its path.
            NameTakenError: the project has one of that name.
            ForbiddenError: the caller is no admin of the project.
        """
        body = {"name": name, "info": info}
        return decode(self._place.connection.call("POST", self._path(), body=body), self._kind)

    def replace(self, named: str, name: str, info: Info) -> Kept:
        """Put another name and info in place of what one has, which is named by id or name; its id stays.

        Raises:
            DataSourceNotFoundError, CatalogNotFoundError: there is none of that name.
            InvalidInputError, NameTakenError, ForbiddenError: as of `create`.
        """
        body = {"name": name, "info": info}
        response = self._place.connection.call("PUT", self._path(named), body=body, repeatable=True)
        return decode(response, self._kind)

    def set(self, name: str, info: Info) -> Kept:
        """Keep one under a name, in place of what has that name. Raises as `create`."""
        try:
            before = self.get(name)
        except (DataSourceNotFoundError, CatalogNotFoundError):
            return self.create(name, info)
        return self.replace(before.id, before.name, info)

    def delete(self, name: str) -> None:
        """Remove one. Raises `DataSourceNotFoundError` or `CatalogNotFoundError`."""
        self._place.connection.call("DELETE", self._path(name))

    def check(
        self, name: str, *, environment: Environment | None = None, timeout_s: float | None = None
    ) -> Run:
        """Start a run that opens it on the cluster, and return that run, pending.

        Its result tells what is there, or what is wrong: ``{"ok": true, …}``, or ``false`` with an ``error``.

        Args:
            name: its name or id.
            environment: what the run finds around it, such as the libraries that a kind needs.
            timeout_s: how long it may run, in seconds; five minutes unless named.

        Raises:
            DataSourceNotFoundError, CatalogNotFoundError: there is none of that name.
        """
        body = CheckRequest(environment=environment or Environment(), timeout_s=timeout_s)
        response = self._place.connection.call("POST", f"{self._path(name)}/check", body=body)
        return decode(response, RunAnswer).run

    def _path(self, name: str | None = None) -> str:
        collection = f"{self._place.project_path}/{self._sort.value.replace('_', '-')}s"
        return collection if name is None else f"{collection}/{segment(name)}"
