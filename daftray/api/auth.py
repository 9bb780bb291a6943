"""Who calls, and whether they may: guards that check the role. Who it is finds `authentication.py`."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from daftray.domain.errors import ForbiddenError, UnauthenticatedError
from daftray.domain.principal import Principal, Role, RunPrincipal
from daftray.identity.access import Access, Place

ANONYMOUS = "anonymous"
"""The route option of a path that anybody may call."""

# Litestar's generic parameters (handler, user, auth, state) add nothing here: ours are checked below.
Connection = ASGIConnection[Any, Any, Any, Any]
AnyRequest = Request[Any, Any, Any]


def person(connection: Connection) -> Principal:
    """Return the caller, who must be a person or a program of theirs: a run's token opens no other door."""
    user: object = connection.user
    if not isinstance(user, Principal):
        raise ForbiddenError("A run's token is only good for the run's own reports.")
    return user


def reporting_run(connection: Connection) -> RunPrincipal:
    """Return the run that reports; its token must be of the run that the path names."""
    user: object = connection.user
    if not isinstance(user, RunPrincipal):
        raise ForbiddenError("Only a run reports here, with its own token.")
    if connection.path_params.get("run", user.run) != user.run:
        raise UnauthenticatedError("The token is not this run's.")
    return user


async def viewer(connection: Connection, _: BaseRouteHandler) -> None:
    """Let those pass who may look."""
    await _require(connection, Role.VIEWER)


async def runner(connection: Connection, _: BaseRouteHandler) -> None:
    """Let those pass who may start and cancel runs."""
    await _require(connection, Role.RUNNER)


async def admin(connection: Connection, _: BaseRouteHandler) -> None:
    """Let those pass who may change a project, or the whole workspace where the path names no project."""
    await _require(connection, Role.ADMIN)


async def workspace_admin(connection: Connection, _: BaseRouteHandler) -> None:
    """Let those pass who may change the whole workspace, whatever project of it the path names."""
    place = await place_of(connection)
    if person(connection).role_in(place.workspace.id) is not Role.ADMIN:
        raise ForbiddenError("This needs the role admin in the whole workspace.")


async def guest(connection: Connection, _: BaseRouteHandler) -> None:
    """Let those pass who have something in the workspace, be it one project."""
    await place_of(connection)


def operator(connection: Connection, _: BaseRouteHandler) -> None:
    """Let those pass who run the server: what they ask for is about all workspaces."""
    if not person(connection).operator:
        raise ForbiddenError("This is for the server's own operator.")


def somebody(connection: Connection, _: BaseRouteHandler) -> None:
    """Let every person and every program of theirs pass."""
    person(connection)


def run_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a run pass to its own reports."""
    reporting_run(connection)


async def place_of(connection: Connection) -> Place:
    """Return what the path names, as far as the caller may see it; it is looked up once for a request.

    Raises:
        WorkspaceNotFoundError, ProjectNotFoundError: it is not there, or not for the caller.
    """
    known: object = connection.state.get("place")
    if isinstance(known, Place):
        return known
    access: Access = connection.app.state["access"]
    named = connection.path_params
    place = await access.enter(person(connection), named["workspace"], named.get("project"))
    connection.state["place"] = place
    return place


async def _require(connection: Connection, role: Role) -> None:
    held = (await place_of(connection)).role
    if held is None or held < role:
        raise ForbiddenError(f"This needs the role {role.name.lower()}.")
