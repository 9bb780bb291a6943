"""Data sources and catalogs over HTTP. Both have the same routes, each with its own types."""

from __future__ import annotations

import msgspec

from daftray.api.auth import AnyRequest
from daftray.domain.catalog import Catalog, CatalogRequest
from daftray.domain.data_source import DataSource, DataSourceRequest
from daftray.domain.errors import InvalidInputError
from daftray.domain.forms import read
from daftray.domain.run import Run


class DataSourcePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of data sources, by name. ``page`` counts from 1."""

    data_sources: list[DataSource]
    page: int
    page_size: int


class CatalogPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of catalogs, by name. ``page`` counts from 1."""

    catalogs: list[Catalog]
    page: int
    page_size: int


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The run that does the check; its result tells what came of it."""

    run: Run


async def check_data_source(request: AnyRequest) -> None:
    """Refuse a body that is no data source, with every issue of it, before its first would be raised."""
    await _check(request, DataSourceRequest, "The data source cannot be kept as it is given.")


async def check_catalog(request: AnyRequest) -> None:
    """Refuse a body that is no catalog, with every issue of it, before its first would be raised."""
    await _check(request, CatalogRequest, "The catalog cannot be kept as it is given.")


async def _check(request: AnyRequest, kind: type[msgspec.Struct], refusal: str) -> None:
    try:
        raw = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"The body is no JSON: {exc}") from exc
    read(raw, kind, "", refusal=refusal)
