"""What a path names, as far as the caller may see it: the one place that decides who enters where.

What a caller may not see answers exactly as what is not there, and is looked for just the same, so that
neither the answer nor its time tells one from the other.
"""

from __future__ import annotations

import msgspec

from daftray.domain.errors import ProjectNotFoundError, WorkspaceNotFoundError
from daftray.domain.ports import ProjectStore, WorkspaceStore
from daftray.domain.principal import Principal, Role
from daftray.domain.project import Project
from daftray.domain.workspace import Workspace


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace, or a project in it, and the caller's role there.

    ``role`` is none for somebody who is at home in some project of the workspace, but not in all of it.
    """

    workspace: Workspace
    project: Project | None = None
    role: Role | None


class Access:
    """Lets callers in."""

    def __init__(self, *, workspaces: WorkspaceStore, projects: ProjectStore) -> None:
        self._workspaces = workspaces
        self._projects = projects

    async def enter(self, caller: Principal, workspace: str, project: str | None = None) -> Place:
        """Return the place of those names or ids.

        Raises:
            WorkspaceNotFoundError: there is no such workspace, or the caller has nothing in it.
            ProjectNotFoundError: the same of the project.
        """
        try:
            found = await self._workspaces.get(workspace)
        except WorkspaceNotFoundError:
            found = None
        home = await self._project(found.id if found else workspace, project) if project is not None else None
        if found is None or not caller.sees(found.id):
            raise WorkspaceNotFoundError("There is no such workspace.")
        if project is None:
            return Place(workspace=found, role=caller.role_in(found.id))
        role = caller.role_in(found.id, home.id) if home else None
        if home is None or role is None:
            raise ProjectNotFoundError("There is no such project in this workspace.")
        return Place(workspace=found, project=home, role=role)

    async def home_of(self, caller: Principal, project: str) -> Place:
        """Return the place of a project, by its id alone, as `enter` does.

        Raises:
            ProjectNotFoundError: there is no such project, or not for the caller.
        """
        try:
            home = await self._projects.by_id(project)
        except ProjectNotFoundError:
            home = None
        try:
            found = await self._workspaces.get(home.workspace if home else "")
        except WorkspaceNotFoundError:
            found = None
        role = caller.role_in(found.id, home.id) if found and home else None
        if found is None or home is None or role is None:
            raise ProjectNotFoundError("There is no such project.")
        return Place(workspace=found, project=home, role=role)

    async def _project(self, workspace: str, id_or_name: str) -> Project | None:
        try:
            return await self._projects.get(workspace, id_or_name)
        except ProjectNotFoundError:
            return None
