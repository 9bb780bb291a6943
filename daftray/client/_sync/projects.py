# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Projects: a Git remote, its default branch, and the settings that runs draw on."""

from __future__ import annotations

import msgspec

from daftray.client._sync.connection import decode, segment
from daftray.client._sync.place import Place
from daftray.client.answers import ProjectsAnswer
from daftray.client.asked import changed, given, parameters
from daftray.domain.project import GitRemote, Project, ProjectRequest, ProjectSource

_PAGE_SIZE = 50


class Projects:
    """The projects of a workspace."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def create(
        self,
        name: str,
        remote: str,
        *,
        branch: str = "main",
        credential: str | None = None,
        max_running: int | None = None,
    ) -> Project:
        """Make a project of a Git remote.

        Args:
            name: its name in the workspace.
            remote: https, ssh, or a path on the server's own disk where its operator allows that.
            branch: what runs execute that name no commit, branch or tag.
            credential: the name of the project's secret (a token, or a private key in PEM form) that opens
                a private remote; the secret itself is set afterwards.
            max_running: how many of its runs may be on a cluster at a time; others wait.

        Raises:
            NameTakenError: the workspace has a project of that name.
            SourceRefusedError: the server does not use such a remote.
        """
        source = ProjectSource(git=GitRemote(remote=remote, branch=branch, credential=credential))
        response = self._place.connection.call(
            "POST", self._path(), body=ProjectRequest(name=name, source=source, max_running=max_running)
        )
        return decode(response, Project)

    def get(self, project: str) -> Project:
        """Return a project, by name or id. Raises `ProjectNotFoundError`."""
        return self._place.connection.get(self._path(project), Project)

    def list(self) -> list[Project]:
        """Return all projects of the workspace, by name."""
        found: dict[str, Project] = {}
        while True:
            answer = self._place.connection.get(
                self._path(), ProjectsAnswer, parameters=parameters(limit=_PAGE_SIZE, offset=len(found))
            )
            fresh = {one.id: one for one in answer.projects if one.id not in found}
            found.update(fresh)
            # A page without anything new ends it too, or a server that ignores `offset` would never end it.
            if len(answer.projects) < _PAGE_SIZE or not fresh:
                return list(found.values())

    def update(
        self,
        project: str,
        *,
        name: str | None = None,
        source: ProjectSource | None = None,
        max_running: int | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> Project:
        """Change a project; what is not given stays. ``max_running=None`` takes its bound away.

        Raises:
            ProjectNotFoundError: there is no such project.
            NameTakenError: another project has the name.
        """
        body = given(name=name, source=source) | changed(max_running=max_running)
        response = self._place.connection.call("PATCH", self._path(project), body=body)
        return decode(response, Project)

    def delete(self, project: str) -> None:
        """Remove a project with its runs and secrets.

        Raises:
            ProjectNotFoundError: there is no such project.
            ConflictError: a run of it goes on.
        """
        self._place.connection.call("DELETE", self._path(project))

    def _path(self, project: str | None = None) -> str:
        collection = f"{self._place.workspace_path}/projects"
        return collection if project is None else f"{collection}/{segment(project)}"
