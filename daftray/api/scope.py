"""What a path names: the workspace and the project, as the caller may see them.

A thing that the caller may not see and a thing that does not exist answer alike (`identity/access.py`).
"""

from __future__ import annotations

from daftray.api.auth import AnyRequest, person, place_of
from daftray.domain.errors import ProjectNotFoundError
from daftray.domain.principal import Principal
from daftray.domain.project import Project

WORKSPACE = "/v1/workspaces/{workspace:str}"
PROJECT = WORKSPACE + "/projects/{project:str}"


async def provide_caller(request: AnyRequest) -> Principal:
    """Return the caller."""
    return person(request)


async def provide_workspace(request: AnyRequest) -> str:
    """Return the id of the path's workspace, which the caller has something in."""
    return (await place_of(request)).workspace.id


async def provide_project(request: AnyRequest) -> Project:
    """Return the path's project, which the caller may see."""
    found = (await place_of(request)).project
    if found is None:
        raise ProjectNotFoundError
    return found
