"""What a path names: the workspace and the project, as the caller may see them.

A thing that the caller may not see and a thing that does not exist answer alike.
"""

from __future__ import annotations

from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import AnyRequest, person
from daftray.domain.errors import ProjectNotFoundError
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.projects.service import Projects

WORKSPACE = "/v1/workspaces/{workspace:str}"
PROJECT = WORKSPACE + "/projects/{project:str}"


async def provide_caller(request: AnyRequest) -> Principal:
    """Return the caller."""
    return person(request)


async def provide_workspace(
    caller: NamedDependency[SkipValidation[Principal]], workspace: FromPath[str]
) -> str:
    """Return the workspace of the path, which must be the caller's."""
    if workspace != caller.workspace:
        raise ProjectNotFoundError("There is no such workspace.")
    return workspace


async def provide_project(
    projects: NamedDependency[SkipValidation[Projects]],
    caller: NamedDependency[SkipValidation[Principal]],
    workspace_id: NamedDependency[str],
    project: FromPath[str],
) -> Project:
    """Return the project of the path, by id or name."""
    found = await projects.get(workspace_id, project)
    if caller.project not in {None, found.id}:
        raise ProjectNotFoundError
    return found
