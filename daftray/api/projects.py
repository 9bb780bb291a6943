"""Projects over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, QueryParameter, SkipValidation
from msgspec.structs import replace

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin, guest, viewer
from daftray.api.documented import PROBLEMS
from daftray.api.scope import PROJECT, WORKSPACE, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.principal import Principal
from daftray.domain.project import Project, ProjectPatch, ProjectRequest
from daftray.projects.service import Projects

LimitParameter = Annotated[int, QueryParameter(ge=1, le=200, description="How many, at most 200.")]
OffsetParameter = Annotated[int, QueryParameter(ge=0, le=10_000_000, description="How many to pass over.")]


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of projects, by name. ``page`` counts from 1."""

    projects: list[Project]
    page: int
    page_size: int


def shown(project: Project) -> Project:
    """Return a project as answers have it: under ``github``, too, without which Daft Cloud's client fails."""
    source = project.source
    return replace(project, source=replace(source, github=source.github or source.git))


@post(WORKSPACE + "/projects", guards=[admin], opt={AUDIT: "project.create"}, summary="Create a project")
async def create_project(
    request: AnyRequest,
    data: JSONBody[ProjectRequest],
    workspace_id: NamedDependency[str],
    projects: NamedDependency[SkipValidation[Projects]],
) -> Project:
    """Make a project of a Git remote."""
    refuse_unknown(await request.body(), data)
    made = await projects.create(workspace_id, data)
    note(request, target=made.id, project=made.id)
    return shown(made)


@get(WORKSPACE + "/projects", guards=[guest], summary="List projects")
async def list_projects(
    workspace_id: NamedDependency[str],
    projects: NamedDependency[SkipValidation[Projects]],
    caller: NamedDependency[SkipValidation[Principal]],
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> ProjectPage:
    """Return a page of the workspace's projects, as far as they are the caller's to see."""
    only = caller.projects_in(workspace_id)
    found = await projects.list(workspace_id, limit=limit, offset=offset, only=only)
    return ProjectPage(projects=[shown(one) for one in found], page=offset // limit + 1, page_size=limit)


@get(
    PROJECT,
    guards=[viewer],
    dependencies={"home": Provide(provide_project)},
    summary="Get a project",
)
async def get_project(home: NamedDependency[SkipValidation[Project]]) -> Project:
    """Return a project, by id or name."""
    return shown(home)


@patch(
    PROJECT,
    guards=[admin],
    opt={AUDIT: "project.update"},
    dependencies={"home": Provide(provide_project)},
    summary="Change a project",
)
async def update_project(
    request: AnyRequest,
    data: JSONBody[ProjectPatch],
    home: NamedDependency[SkipValidation[Project]],
    projects: NamedDependency[SkipValidation[Projects]],
) -> Project:
    """Change a project's name or source."""
    refuse_unknown(await request.body(), data)
    return shown(await projects.update(home, data))


@delete(
    PROJECT,
    guards=[admin],
    opt={AUDIT: "project.delete", PROBLEMS: (409,)},
    dependencies={"home": Provide(provide_project)},
    summary="Delete a project",
)
async def delete_project(
    home: NamedDependency[SkipValidation[Project]],
    projects: NamedDependency[SkipValidation[Projects]],
) -> None:
    """Remove a project and its runs; refused while one of them goes on."""
    await projects.delete(home)


router = Router(
    "/",
    route_handlers=[create_project, list_projects, get_project, update_project, delete_project],
    dependencies={"workspace_id": Provide(provide_workspace)},
    tags=["projects"],
)
