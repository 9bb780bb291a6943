"""Where in a server calls go: a workspace, and a project in it."""

from __future__ import annotations

from daftray.client._async.connection import AsyncConnection, segment
from daftray.client.errors import NotConfiguredError


class Place:
    """A connection and the place in its server that calls mean."""

    def __init__(self, connection: AsyncConnection, *, workspace: str, project: str | None) -> None:
        self.connection = connection
        self.workspace = workspace
        self.project = project

    @property
    def workspace_path(self) -> str:
        """The path of the workspace."""
        return f"/v1/workspaces/{segment(self.workspace)}"

    @property
    def project_path(self) -> str:
        """The path of the project.

        Raises:
            NotConfiguredError: no project is meant.
        """
        if not self.project:
            raise NotConfiguredError(
                "Which project? Name it (`project=`, --project or DAFTRAY_PROJECT), by its name or id."
            )
        return f"{self.workspace_path}/projects/{segment(self.project)}"

    def in_project(self, project: str) -> Place:
        """Return the same place but for the project."""
        return Place(self.connection, workspace=self.workspace, project=project)
