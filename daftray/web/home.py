"""The first page, the list of projects, and the short links to runs."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import AnyRequest, somebody
from daftray.domain.principal import Principal, Role
from daftray.identity.access import Place
from daftray.identity.workspaces import Workspaces
from daftray.projects.service import Projects
from daftray.runs.finder import RunFinder
from daftray.web.pages import Pages
from daftray.web.places import new_project_page, project_page, run_page
from daftray.web.redirects import see_other

_MOST = 200
"""Projects of a workspace that are listed."""


@get("/", guards=[somebody], include_in_schema=False)
async def first_page(
    caller: NamedDependency[SkipValidation[Principal]],
    all_workspaces: NamedDependency[SkipValidation[Workspaces]],
    projects: NamedDependency[SkipValidation[Projects]],
) -> Response[Any]:
    """Go to the runs of the caller's first project, or to their projects (``Any``: a redirection)."""
    first = await places_of(caller, all_workspaces, projects, most=1)
    return see_other(f"{project_page(first[0])}/runs" if first else "/projects")


@get("/projects", guards=[somebody], include_in_schema=False)
async def list_projects(
    request: AnyRequest,
    caller: NamedDependency[SkipValidation[Principal]],
    all_workspaces: NamedDependency[SkipValidation[Workspaces]],
    projects: NamedDependency[SkipValidation[Projects]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show what projects the caller may see, by workspace, and where they may make new ones."""
    places = await places_of(caller, all_workspaces, projects, most=_MOST)
    shown = [(place, f"{project_page(place)}/runs") for place in places]
    own = [one for one in await all_workspaces.list(caller) if caller.role_in(one.id) == Role.ADMIN]
    new = [(one.name, new_project_page(one)) for one in own]
    return pages.page(request, "projects.html", shown=shown, new=new)


@get("/~/{run:str}", guards=[somebody], include_in_schema=False)
async def go_to_run(
    run: FromPath[str],
    caller: NamedDependency[SkipValidation[Principal]],
    run_finder: NamedDependency[SkipValidation[RunFinder]],
) -> Response[Any]:
    """Go to a run's page by its id alone, as Daft Cloud's client prints it (``Any``: a redirection)."""
    return see_other(run_page(await run_finder.place_of(caller, run), run))


async def places_of(
    caller: Principal, workspaces: Workspaces, projects: Projects, *, most: int
) -> list[Place]:
    """Return the projects that somebody may see, by workspace and name; of each workspace so many at most."""
    found: list[Place] = []
    for workspace in await workspaces.list(caller):
        only = caller.projects_in(workspace.id)
        for project in await projects.list(workspace.id, limit=most, offset=0, only=only):
            role = caller.role_in(workspace.id, project.id)
            found.append(Place(workspace=workspace, project=project, role=role))
    return found


router = Router("/", route_handlers=[first_page, list_projects, go_to_run])
