"""Integrations of workspaces over HTTP, as Daft Cloud's client sends them."""

from __future__ import annotations

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin, operator, viewer
from daftray.api.scope import WORKSPACE, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.integration import Integration, IntegrationRequest
from daftray.domain.principal import Principal
from daftray.projects.integrations import Integrations


class IntegrationList(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's integrations, oldest first."""

    integrations: list[Integration]


@post("/", guards=[operator], summary="Record an integration", opt={AUDIT: "integration.create"})
async def add_integration(
    request: AnyRequest,
    data: JSONBody[IntegrationRequest],
    workspace_id: NamedDependency[str],
    integrations: NamedDependency[SkipValidation[Integrations]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Integration:
    """Record an installation of the GitHub App; a second time changes nothing.

    It opens private repositories, and its number is no secret: so whose it is, the server's operator decides.
    """
    refuse_unknown(await request.body(), data)
    made = await integrations.add(workspace_id, data, caller)
    note(request, target=made.id)
    return made


@get("/", guards=[viewer], summary="List integrations")
async def list_integrations(
    workspace_id: NamedDependency[str], integrations: NamedDependency[SkipValidation[Integrations]]
) -> IntegrationList:
    """Return the workspace's integrations."""
    return IntegrationList(integrations=await integrations.list(workspace_id))


@delete("/", guards=[admin], summary="Take out an integration", opt={AUDIT: "integration.delete"})
async def remove_integration(
    request: AnyRequest,
    data: JSONBody[IntegrationRequest],
    workspace_id: NamedDependency[str],
    integrations: NamedDependency[SkipValidation[Integrations]],
) -> None:
    """Take an installation out; which one says the body, as Daft Cloud's client has it."""
    refuse_unknown(await request.body(), data)
    await integrations.remove(workspace_id, data)
    note(request, target=f"github:{data.github.installation_id}")


router = Router(
    WORKSPACE + "/integrations",
    route_handlers=[add_integration, list_integrations, remove_integration],
    dependencies={"workspace_id": Provide(provide_workspace)},
    tags=["integrations"],
)
