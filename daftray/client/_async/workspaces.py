"""Workspaces: walls between teams."""

from __future__ import annotations

from daftray.client._async.connection import decode, segment
from daftray.client._async.place import Place
from daftray.client.answers import WorkspacesAnswer
from daftray.domain.workspace import Workspace, WorkspaceRequest

_PATH = "/v1/workspaces"


class AsyncWorkspaces:
    """The server's workspaces, as far as the caller has something in them."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def create(self, name: str) -> Workspace:
        """Make a workspace. Raises `NameTakenError`, and `ForbiddenError` where one is no operator."""
        body = WorkspaceRequest(name=name)
        return decode(await self._place.connection.call("POST", _PATH, body=body), Workspace)

    async def list(self) -> list[Workspace]:
        """Return the workspaces that the caller has something in, by name."""
        return (await self._place.connection.get(_PATH, WorkspacesAnswer)).workspaces

    async def get(self, workspace: str) -> Workspace:
        """Return a workspace, by name or id. Raises `WorkspaceNotFoundError`."""
        return await self._place.connection.get(f"{_PATH}/{segment(workspace)}", Workspace)
