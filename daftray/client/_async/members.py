"""Who may do what in a workspace, or in a project of it."""

from __future__ import annotations

from daftray.client._async.connection import decode, segment
from daftray.client._async.place import Place
from daftray.client.answers import MembersAnswer
from daftray.domain.principal import RoleName
from daftray.domain.user import Member, RoleRequest


class AsyncMembers:
    """The members of the workspace, or with ``project`` (a name or id) of one project; an admin's calls."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def list(self, *, project: str | None = None) -> list[Member]:
        """Return the members by name; without a project, those of the workspace and of all its projects."""
        return (await self._place.connection.get(self._path(project), MembersAnswer)).members

    async def set(self, user: str, role: RoleName, *, project: str | None = None) -> Member:
        """Give a user (a name or id) a role in place of the one before.

        Raises:
            UserNotFoundError: there is no such user.
            ConflictError: the user is the workspace's last admin.
        """
        path = f"{self._path(project)}/{segment(user)}"
        body = RoleRequest(role=role)
        return decode(await self._place.connection.call("PUT", path, body=body, repeatable=True), Member)

    async def remove(self, user: str, *, project: str | None = None) -> None:
        """Take a user's role there. Raises `MemberNotFoundError`, `ConflictError`."""
        await self._place.connection.call("DELETE", f"{self._path(project)}/{segment(user)}")

    def _path(self, project: str | None) -> str:
        place = self._place if project is None else self._place.in_project(project)
        return f"{place.workspace_path if project is None else place.project_path}/members"
