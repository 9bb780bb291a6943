"""Who changed what: a route that changes something says so by a code, and one hook keeps who and where.

A route's code is its option: ``opt={AUDIT: "run.create"}``. What the route made, and what else its path does
not tell, it `note`s. The entry is kept after the change and before the answer goes out: where it cannot be,
the answer is an error, though the change was made. What failed is not kept.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from daftray.api.auth import AnyRequest
from daftray.api.problems import on_daftray_error
from daftray.domain.errors import DaftrayError
from daftray.domain.principal import Principal
from daftray.identity.access import Place
from daftray.identity.audit import AuditLog, Change

AUDIT = "audit"
"""The route option of what changes something: ``noun.verb``."""
_PLACES = ("workspace", "project")


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a route tells of a change that its path does not."""

    target: str | None = None
    workspace: str | None = None
    project: str | msgspec.UnsetType | None = msgspec.UNSET
    actor: Principal | None = None


def note(
    request: AnyRequest,
    *,
    target: str | None = None,
    workspace: str | None = None,
    project: str | msgspec.UnsetType | None = msgspec.UNSET,
    actor: Principal | None = None,
) -> None:
    """Say what was changed, or who did it, for the audit log. No secret value belongs in it.

    ``target`` is an id, or a name where that is how the thing is called; by default it is what the path ends
    in. ``workspace`` and ``project`` are ids; by default those of the path. No project (None) is the whole
    workspace, whatever project the path names. ``actor`` is who signed in.
    """
    request.state["audit_note"] = Note(target=target, workspace=workspace, project=project, actor=actor)


class Auditing:
    """Keeps an entry of every change before its answer goes out. It stands inside of authentication."""

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self.app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer once the change is kept."""
        action = scope["route_handler"].opt.get(AUDIT)
        if action is None:
            await self.app(scope, receive, send)
            return

        refusal: ASGIApp | None = None

        async def keep_and_send(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] < HTTPStatus.BAD_REQUEST:
                try:
                    await self._log.record(change_of(scope, str(action)))
                except DaftrayError as exc:  # to raise it would cut the connection: an answer has begun
                    request = AnyRequest(scope)
                    refusal = on_daftray_error(request, exc).to_asgi_response(None, request)  # pyright: ignore[reportUnknownMemberType]
            if refusal is None:
                await send(message)

        await self.app(scope, receive, keep_and_send)
        if refusal is not None:
            await refusal(scope, receive, send)


def change_of(scope: Scope, action: str) -> Change:
    """Return what a request has changed, where, and who that was."""
    state: dict[str, Any] = scope["state"]  # whatever else a request keeps for itself
    noted: Note = state.get("audit_note", Note())
    place = state.get("place")
    workspace = place.workspace.id if isinstance(place, Place) else None
    project = place.project.id if isinstance(place, Place) and place.project else None
    user: object = noted.actor or scope["user"]
    return Change(
        action=action,
        actor=user if isinstance(user, Principal) else None,
        target=noted.target or _named(scope["path_params"]) or project or workspace,
        workspace=noted.workspace or workspace,
        project=project if noted.project is msgspec.UNSET else noted.project,
        remote=remote_of(scope),
    )


def remote_of(scope: Scope) -> str | None:
    """Return the address that a request comes from; of a trusted proxy's, the one that the proxy tells."""
    client = scope["client"]
    return client[0] if client else None


def _named(parameters: dict[str, Any]) -> str:
    """Return what a path names within its workspace and project."""
    return "/".join(str(value) for name, value in parameters.items() if name not in _PLACES)
