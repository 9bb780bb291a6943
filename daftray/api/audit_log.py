"""The audit log over HTTP: to be read, and no more."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter, SkipValidation

from daftray.api.auth import admin, operator
from daftray.api.projects import LimitParameter
from daftray.api.scope import WORKSPACE, provide_workspace
from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.identity.audit import AuditLog

ActorParameter = Annotated[
    str | None, QueryParameter(max_length=200, description="Who made the change: a key's or a user's id.")
]
ActionParameter = Annotated[
    str | None, QueryParameter(max_length=100, description="A code such as ``run.create``.")
]
ProjectParameter = Annotated[
    str | None,
    QueryParameter(
        name="project", max_length=200, description="A project's id; one that is gone has its entries still."
    ),
]
CursorParameter = Annotated[
    str | None, QueryParameter(max_length=100, description="The ``next_cursor`` of the page before.")
]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of changes, newest first. Ask for the next one with ``cursor=next_cursor``."""

    entries: list[AuditEntry]
    next_cursor: str | None


@get(
    WORKSPACE + "/audit",
    guards=[admin],
    dependencies={"workspace_id": Provide(provide_workspace)},
    summary="Read a workspace's audit log",
)
async def workspace_audit(
    workspace_id: NamedDependency[str],
    audit_log: NamedDependency[SkipValidation[AuditLog]],
    actor: ActorParameter = None,
    action: ActionParameter = None,
    project: ProjectParameter = None,
    cursor: CursorParameter = None,
    limit: LimitParameter = 50,
) -> AuditPage:
    """Return a page of who changed what in a workspace."""
    query = AuditQuery(
        workspace=workspace_id, project=project, actor=actor, action=action, before=cursor, limit=limit
    )
    return _page(await audit_log.list(query), limit)


@get("/v1/audit", guards=[operator], summary="Read the server's audit log")
async def server_audit(
    audit_log: NamedDependency[SkipValidation[AuditLog]],
    actor: ActorParameter = None,
    action: ActionParameter = None,
    cursor: CursorParameter = None,
    limit: LimitParameter = 50,
) -> AuditPage:
    """Return a page of who changed what, in all workspaces and outside of them."""
    return _page(
        await audit_log.list(AuditQuery(actor=actor, action=action, before=cursor, limit=limit)), limit
    )


def _page(found: list[AuditEntry], limit: int) -> AuditPage:
    return AuditPage(entries=found, next_cursor=found[-1].id if len(found) == limit else None)


router = Router("/", route_handlers=[workspace_audit, server_audit], tags=["audit"])
