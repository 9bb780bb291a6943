"""Who may do what in a workspace or a project: what an admin gives and takes."""

from __future__ import annotations

from daftray.domain.errors import MemberNotFoundError, UserNotFoundError
from daftray.domain.ports import MembershipStore, UserStore
from daftray.domain.principal import Principal, Role, RoleName
from daftray.domain.user import Member, Membership, User
from daftray.identity.access import Place


class Members:
    """The use cases of memberships. Whoever calls these was found to be an admin of the place."""

    def __init__(self, *, store: MembershipStore, users: UserStore) -> None:
        self._store = store
        self._users = users

    async def list(self, place: Place) -> list[Member]:
        """Return a project's members by name; of a workspace, those of its projects as well."""
        found = await self._store.members(place.workspace.id, place.project.id if place.project else None)
        return [_member_of(membership, user) for membership, user in found]

    async def put(self, caller: Principal, place: Place, user: str, role: RoleName) -> Member:
        """Give a person, by id or name, a role in place of the one before.

        Raises:
            UserNotFoundError: there is no such user.
            ConflictError: the workspace's last admin would go; an operator may do that, and give it back.
        """
        found = await self._users.get(user.lower())
        membership = Membership(
            user_id=found.id,
            workspace=place.workspace.id,
            project=place.project.id if place.project else None,
            role=Role.of(role),
        )
        await self._store.put(membership, keep_admin=not caller.operator)
        return _member_of(membership, found)

    async def remove(self, caller: Principal, place: Place, user: str) -> None:
        """Take a person's role. Raises `MemberNotFoundError`, `ConflictError` as `put` does."""
        try:
            found = await self._users.get(user.lower())
        except UserNotFoundError as exc:
            raise MemberNotFoundError from exc
        project = place.project.id if place.project else None
        await self._store.remove(found.id, place.workspace.id, project, keep_admin=not caller.operator)


def _member_of(membership: Membership, user: User) -> Member:
    return Member(user_id=user.id, name=user.name, project=membership.project, role=membership.role.word)
