"""Catalogs of a project over HTTP."""

from __future__ import annotations

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin, runner, viewer
from daftray.api.connections import CatalogPage, CheckAnswer, check_catalog
from daftray.api.projects import LimitParameter, OffsetParameter
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.catalog import Catalog, CatalogRequest
from daftray.domain.connection import CheckRequest, ConnectionSort
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.projects.connections import Connections
from daftray.runs.checks import Checks

SORT = ConnectionSort.CATALOG


@post(
    "/",
    guards=[admin],
    opt={AUDIT: "catalog.create"},
    summary="Create a catalog",
    before_request=check_catalog,
)
async def create_catalog(
    request: AnyRequest,
    data: JSONBody[CatalogRequest],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> Catalog:
    """Keep a catalog under a name of the project. Credentials are named, never given."""
    made = await connections.create(home, data)
    note(request, target=made.id)
    return made.as_catalog


@get("/", guards=[viewer], summary="List catalogs")
async def list_catalogs(
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> CatalogPage:
    """Return a page of the project's catalogs, by name."""
    found = await connections.list(home, SORT, limit=limit, offset=offset)
    page = [one.as_catalog for one in found]
    return CatalogPage(catalogs=page, page=offset // limit + 1, page_size=limit)


@get("/{catalog:str}", guards=[viewer], summary="Get a catalog")
async def get_catalog(
    catalog: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> Catalog:
    """Return a catalog, by id or name."""
    return (await connections.get(home, SORT, catalog)).as_catalog


@put(
    "/{catalog:str}",
    guards=[admin],
    opt={AUDIT: "catalog.replace"},
    summary="Replace a catalog",
    before_request=check_catalog,
)
async def replace_catalog(
    catalog: FromPath[str],
    data: JSONBody[CatalogRequest],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> Catalog:
    """Put another name and info in place of what a catalog has; its id stays."""
    return (await connections.replace(home, catalog, data)).as_catalog


@delete("/{catalog:str}", guards=[admin], opt={AUDIT: "catalog.delete"}, summary="Delete a catalog")
async def delete_catalog(
    catalog: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> None:
    """Remove a catalog."""
    await connections.delete(home, SORT, catalog)


@post(
    "/{catalog:str}/check",
    guards=[runner],
    opt={AUDIT: "catalog.check"},
    status_code=202,
    summary="Check a catalog",
)
async def start_check(
    request: AnyRequest,
    catalog: FromPath[str],
    data: JSONBody[CheckRequest],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
    checks: NamedDependency[SkipValidation[Checks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> CheckAnswer:
    """Open it on the cluster, by a run of its own, whose result tells what is there or what is wrong."""
    refuse_unknown(await request.body(), data)
    found = await connections.get(home, SORT, catalog)
    return CheckAnswer(run=await checks.start(found, data, caller))


router = Router(
    PROJECT + "/catalogs",
    route_handlers=[create_catalog, list_catalogs, get_catalog, replace_catalog, delete_catalog, start_check],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["catalogs"],
)
