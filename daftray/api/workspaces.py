"""Workspaces over HTTP."""

from __future__ import annotations

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, guest, operator, place_of, somebody
from daftray.api.scope import WORKSPACE
from daftray.api.strict import refuse_unknown
from daftray.domain.principal import Principal
from daftray.domain.workspace import Workspace, WorkspaceRequest
from daftray.identity.workspaces import Workspaces


class WorkspaceList(msgspec.Struct, frozen=True, kw_only=True):
    """Workspaces, by name."""

    workspaces: list[Workspace]


@post("/v1/workspaces", guards=[operator], opt={AUDIT: "workspace.create"}, summary="Create a workspace")
async def create_workspace(
    request: AnyRequest,
    data: JSONBody[WorkspaceRequest],
    all_workspaces: NamedDependency[SkipValidation[Workspaces]],
) -> Workspace:
    """Make a workspace, which nobody but operators can enter before it has members or keys."""
    refuse_unknown(await request.body(), data)
    made = await all_workspaces.create(data)
    note(request, target=made.id, workspace=made.id)
    return made


@get("/v1/workspaces", guards=[somebody], summary="List workspaces")
async def list_workspaces(
    all_workspaces: NamedDependency[SkipValidation[Workspaces]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> WorkspaceList:
    """Return the workspaces that the caller has something in."""
    return WorkspaceList(workspaces=await all_workspaces.list(caller))


@get(WORKSPACE, guards=[guest], summary="Get a workspace")
async def get_workspace(request: AnyRequest) -> Workspace:
    """Return a workspace, by id or name."""
    return (await place_of(request)).workspace


router = Router("/", route_handlers=[create_workspace, list_workspaces, get_workspace], tags=["workspaces"])
