"""Prices of a project over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, put
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, QueryParameter, SkipValidation

from daftray.api.audit import AUDIT
from daftray.api.auth import AnyRequest, admin, viewer
from daftray.api.projects import LimitParameter, OffsetParameter
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.price import PriceTable, PriceTableRequest
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.projects.prices import Prices

LARGEST_VERSION = 2**31 - 1
VersionParameter = Annotated[
    int | None,
    QueryParameter(name="version", ge=1, le=LARGEST_VERSION, description="One version, not the newest."),
]


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a project's price tables, newest first. ``page`` counts from 1."""

    versions: list[PriceTable]
    page: int
    page_size: int


@put("/prices", guards=[admin], opt={AUDIT: "prices.set"}, summary="Set a project's prices")
async def set_prices(
    request: AnyRequest,
    data: JSONBody[PriceTableRequest],
    home: NamedDependency[SkipValidation[Project]],
    prices: NamedDependency[SkipValidation[Prices]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> PriceTable:
    """Keep the whole table as a new version, which counts for runs that are created from now on.

    The prices that are there already make no new version.
    """
    refuse_unknown(await request.body(), data)
    return await prices.set(home, data, caller)


@get("/prices", guards=[viewer], summary="Get a project's prices")
async def get_prices(
    home: NamedDependency[SkipValidation[Project]],
    prices: NamedDependency[SkipValidation[Prices]],
    version: VersionParameter = None,
) -> PriceTable:
    """Return the newest prices, or a version of them."""
    return await prices.get(home, version)


@get("/prices/versions", guards=[viewer], summary="List the versions of a project's prices")
async def list_versions(
    home: NamedDependency[SkipValidation[Project]],
    prices: NamedDependency[SkipValidation[Prices]],
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> PriceHistory:
    """Return a page of the versions, newest first."""
    found = await prices.list(home, limit=limit, offset=offset)
    return PriceHistory(versions=found, page=offset // limit + 1, page_size=limit)


router = Router(
    PROJECT,
    route_handlers=[set_prices, get_prices, list_versions],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["prices"],
)
