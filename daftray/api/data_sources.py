"""Data sources of a project over HTTP."""

from __future__ import annotations

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin, runner, viewer
from daftray.api.connections import CheckAnswer, DataSourcePage, check_data_source
from daftray.api.projects import LimitParameter, OffsetParameter
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.connection import CheckRequest, ConnectionSort
from daftray.domain.data_source import DataSource, DataSourceRequest
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.projects.connections import Connections
from daftray.runs.checks import Checks

SORT = ConnectionSort.DATA_SOURCE


@post(
    "/",
    guards=[admin],
    opt={AUDIT: "data_source.create"},
    summary="Create a data source",
    before_request=check_data_source,
)
async def create_data_source(
    request: AnyRequest,
    data: JSONBody[DataSourceRequest],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> DataSource:
    """Keep a data source under a name of the project. Credentials are named, never given."""
    made = await connections.create(home, data)
    note(request, target=made.id)
    return made.as_data_source


@get("/", guards=[viewer], summary="List data sources")
async def list_data_sources(
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> DataSourcePage:
    """Return a page of the project's data sources, by name."""
    found = await connections.list(home, SORT, limit=limit, offset=offset)
    page = [one.as_data_source for one in found]
    return DataSourcePage(data_sources=page, page=offset // limit + 1, page_size=limit)


@get("/{data_source:str}", guards=[viewer], summary="Get a data source")
async def get_data_source(
    data_source: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> DataSource:
    """Return a data source, by id or name."""
    return (await connections.get(home, SORT, data_source)).as_data_source


@put(
    "/{data_source:str}",
    guards=[admin],
    opt={AUDIT: "data_source.replace"},
    summary="Replace a data source",
    before_request=check_data_source,
)
async def replace_data_source(
    data_source: FromPath[str],
    data: JSONBody[DataSourceRequest],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> DataSource:
    """Put another name and info in place of what a data source has; its id stays."""
    return (await connections.replace(home, data_source, data)).as_data_source


@delete(
    "/{data_source:str}", guards=[admin], opt={AUDIT: "data_source.delete"}, summary="Delete a data source"
)
async def delete_data_source(
    data_source: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> None:
    """Remove a data source."""
    await connections.delete(home, SORT, data_source)


@post(
    "/{data_source:str}/check",
    guards=[runner],
    opt={AUDIT: "data_source.check"},
    status_code=202,
    summary="Check a data source",
)
async def start_check(
    request: AnyRequest,
    data_source: FromPath[str],
    data: JSONBody[CheckRequest],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
    checks: NamedDependency[SkipValidation[Checks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> CheckAnswer:
    """Open it on the cluster, by a run of its own, whose result tells what is there or what is wrong."""
    refuse_unknown(await request.body(), data)
    found = await connections.get(home, SORT, data_source)
    return CheckAnswer(run=await checks.start(found, data, caller))


router = Router(
    PROJECT + "/data-sources",
    route_handlers=[
        create_data_source,
        list_data_sources,
        get_data_source,
        replace_data_source,
        delete_data_source,
        start_check,
    ],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["data sources"],
)
