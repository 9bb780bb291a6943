"""Workspaces, people, what they may do where, and a quick stand-in for slow hashes, in memory."""

from __future__ import annotations

from fake_memory import Memory
from msgspec.structs import replace

from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.domain.errors import (
    ConflictError,
    MemberNotFoundError,
    NameTakenError,
    UserNotFoundError,
    WorkspaceNotFoundError,
)
from daftray.domain.principal import Role
from daftray.domain.user import Membership, User
from daftray.domain.workspace import Workspace


class InMemoryWorkspaceStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._workspaces = (memory or Memory()).workspaces

    async def add(self, workspace: Workspace) -> None:
        if any(workspace.id == one.id or workspace.name == one.name for one in self._workspaces.values()):
            raise NameTakenError
        self._workspaces[workspace.id] = workspace

    async def get(self, id_or_name: str) -> Workspace:
        if id_or_name in self._workspaces:
            return self._workspaces[id_or_name]
        for one in self._workspaces.values():
            if one.name == id_or_name:
                return one
        raise WorkspaceNotFoundError

    async def list(self) -> list[Workspace]:
        return sorted(self._workspaces.values(), key=lambda one: one.name)


class InMemoryUserStore:
    def __init__(self, memory: Memory | None = None) -> None:
        memory = memory or Memory()
        self._users, self._memberships = memory.users, memory.memberships

    async def add(self, user: User) -> None:
        if user.id in self._users:
            raise NameTakenError
        self._check(user)
        self._users[user.id] = user

    async def get(self, id_or_name: str) -> User:
        if id_or_name in self._users:
            return self._users[id_or_name]
        for user in self._users.values():
            if user.name == id_or_name:
                return user
        raise UserNotFoundError

    async def by_subject(self, subject: str) -> User | None:
        return next((user for user in self._users.values() if user.subject == subject), None)

    async def list(self, *, limit: int, after: str = "") -> list[User]:
        found = sorted(self._users.values(), key=lambda user: user.name)
        return [user for user in found if user.name > after][:limit]

    async def save(self, user: User, *, keep_operator: bool = False) -> None:
        if keep_operator and not _operates(user):
            self._keep_operator(user.id)
        if user.id not in self._users:
            raise UserNotFoundError
        self._check(user)
        self._users[user.id] = user

    async def set_password(self, user_id: str, hashed: str) -> None:
        if user_id not in self._users:
            raise UserNotFoundError
        user = self._users[user_id]
        self._users[user_id] = replace(user, password=hashed)

    async def bind_subject(self, user_id: str, subject: str) -> bool:
        user = self._users.get(user_id)
        if user is None or user.subject is not None:
            return False
        self._check(replace(user, subject=subject))
        self._users[user_id] = replace(user, subject=subject)
        return True

    async def delete(self, user_id: str, *, keep_operator: bool = False) -> None:
        if keep_operator:
            self._keep_operator(user_id)
        if self._users.pop(user_id, None) is None:
            raise UserNotFoundError
        for key in [key for key in self._memberships if key[0] == user_id]:
            del self._memberships[key]

    def _keep_operator(self, leaving: str) -> None:
        if {user.id for user in self._users.values() if _operates(user)} == {leaving}:
            raise ConflictError

    def _check(self, user: User) -> None:
        for other in self._users.values():
            same = user.name == other.name or (user.subject and user.subject == other.subject)
            if same and user.id != other.id:
                raise NameTakenError


class InMemoryMembershipStore:
    def __init__(self, memory: Memory | None = None) -> None:
        memory = memory or Memory()
        self._users, self._memberships = memory.users, memory.memberships

    async def of_user(self, user_id: str) -> list[Membership]:
        found = [one for one in self._memberships.values() if one.user_id == user_id]
        return sorted(found, key=lambda one: (one.workspace, one.project or ""))

    async def members(self, workspace: str, project: str | None = None) -> list[tuple[Membership, User]]:
        found = [
            (one, self._users[one.user_id])
            for one in self._memberships.values()
            if one.workspace == workspace and project in {None, one.project}
        ]
        return sorted(found, key=lambda pair: (pair[1].name, pair[0].project or ""))

    async def put(self, membership: Membership, *, keep_admin: bool = False) -> None:
        if keep_admin and membership.project is None and membership.role is not Role.ADMIN:
            self._keep_admin(membership.user_id, membership.workspace)
        if membership.user_id not in self._users:
            raise UserNotFoundError
        self._memberships[membership.user_id, membership.workspace, membership.project] = membership

    async def remove(
        self, user_id: str, workspace: str, project: str | None = None, *, keep_admin: bool = False
    ) -> None:
        if keep_admin and project is None:
            self._keep_admin(user_id, workspace)
        if self._memberships.pop((user_id, workspace, project), None) is None:
            raise MemberNotFoundError

    def _keep_admin(self, leaving: str, workspace: str) -> None:
        admins = {
            one.user_id
            for one in self._memberships.values()
            if (one.workspace, one.project, one.role) == (workspace, None, Role.ADMIN)
        }
        if admins == {leaving}:
            raise ConflictError


class InMemoryAuditStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._entries = (memory or Memory()).audit

    async def add(self, entry: AuditEntry) -> None:
        self._entries.append(entry)

    async def list(self, query: AuditQuery) -> list[AuditEntry]:
        alike = ("workspace", "project", "actor", "actor_name", "action")
        wanted = {name: getattr(query, name) for name in alike}
        found = [
            entry
            for entry in self._entries
            if all(value in {None, getattr(entry, name)} for name, value in wanted.items())
            and (query.before is None or entry.id < query.before)
            and (query.target is None or query.target.lower() in (entry.target or "").lower())
            and (query.since is None or entry.at >= query.since)
            and (query.until is None or entry.at < query.until)
        ]
        return sorted(found, key=lambda entry: entry.id, reverse=True)[: query.limit]


class FakePasswords:
    """Hashes that are quick and no hashes. ``version`` is what a real one's parameters are."""

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.compared: list[str | None] = []

    async def hash(self, password: str) -> str:
        return f"v{self.version}:{password[::-1]}"

    async def matches(self, password: str, hashed: str | None) -> bool:
        self.compared.append(hashed)
        return hashed is not None and hashed.split(":", 1)[1:] == [password[::-1]]

    def outdated(self, hashed: str) -> bool:
        return not hashed.startswith(f"v{self.version}:")


def _operates(user: User) -> bool:
    return user.operator and user.disabled_at is None
