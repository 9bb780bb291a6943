# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Workspaces: walls between teams."""

from __future__ import annotations

from daftray.client._sync.connection import decode, segment
from daftray.client._sync.place import Place
from daftray.client.answers import WorkspacesAnswer
from daftray.domain.workspace import Workspace, WorkspaceRequest

_PATH = "/v1/workspaces"


class Workspaces:
    """The server's workspaces, as far as the caller has something in them."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def create(self, name: str) -> Workspace:
        """Make a workspace. Raises `NameTakenError`, and `ForbiddenError` where one is no operator."""
        body = WorkspaceRequest(name=name)
        return decode(self._place.connection.call("POST", _PATH, body=body), Workspace)

    def list(self) -> list[Workspace]:
        """Return the workspaces that the caller has something in, by name."""
        return (self._place.connection.get(_PATH, WorkspacesAnswer)).workspaces

    def get(self, workspace: str) -> Workspace:
        """Return a workspace, by name or id. Raises `WorkspaceNotFoundError`."""
        return self._place.connection.get(f"{_PATH}/{segment(workspace)}", Workspace)
