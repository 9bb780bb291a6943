"""Where workspaces, people and their keys are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.domain.principal import ApiKey
from daftray.domain.user import Membership, User
from daftray.domain.workspace import Workspace


class WorkspaceStore(Protocol):
    """Workspaces. The default one is there from the first start."""

    async def add(self, workspace: Workspace) -> None:
        """Keep a new workspace. Raises `NameTakenError`."""
        ...

    async def get(self, id_or_name: str) -> Workspace:
        """Return a workspace; an id wins over a name. Raises `WorkspaceNotFoundError`."""
        ...

    async def list(self) -> list[Workspace]:
        """Return all workspaces by name."""
        ...


class KeyStore(Protocol):
    """API keys."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key. Raises `ConflictError` where its id is taken."""
        ...

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, if there is one; one that was revoked or has expired, too."""
        ...

    async def list(self, workspace: str) -> list[ApiKey]:
        """Return a workspace's keys, oldest first."""
        ...

    async def revoke(self, key_id: str, at: datetime) -> None:
        """Close a key for good; one that is closed stays as it is. Raises `KeyNotFoundError`."""
        ...

    async def used(self, key_id: str, at: datetime) -> None:
        """Note when a key was last used; an older time never replaces a newer one."""
        ...


class UserStore(Protocol):
    """People."""

    async def add(self, user: User) -> None:
        """Keep a new user. Raises `NameTakenError` where the name or the subject is another's."""
        ...

    async def get(self, id_or_name: str) -> User:
        """Return a user; an id wins over a name. Raises `UserNotFoundError`."""
        ...

    async def by_subject(self, subject: str) -> User | None:
        """Return who that is to the OpenID provider, if anybody."""
        ...

    async def list(self, *, limit: int, after: str = "") -> list[User]:
        """Return users by name, those after a name."""
        ...

    async def save(self, user: User, *, keep_operator: bool = False) -> None:
        """Write a changed user.

        Raises:
            UserNotFoundError: there is no such user.
            NameTakenError: the name or the subject is another's.
            ConflictError: nobody who may sign in would be an operator after it, and one is to be kept.
        """
        ...

    async def set_password(self, user_id: str, hashed: str) -> None:
        """Put another hash in place of a user's, and touch nothing else. Raises `UserNotFoundError`."""
        ...

    async def bind_subject(self, user_id: str, subject: str) -> bool:
        """Note who a user is to the OpenID provider, and touch nothing else; whether the user had nobody yet.

        Raises:
            NameTakenError: the subject is another's.
        """
        ...

    async def delete(self, user_id: str, *, keep_operator: bool = False) -> None:
        """Remove a user with all memberships. Raises `UserNotFoundError`, `ConflictError` as `save` does."""
        ...


class MembershipStore(Protocol):
    """What people may do where."""

    async def of_user(self, user_id: str) -> list[Membership]:
        """Return a user's memberships, by workspace and project."""
        ...

    async def members(self, workspace: str, project: str | None = None) -> list[tuple[Membership, User]]:
        """Return a workspace's members by name, those of its projects too, or those of one project alone."""
        ...

    async def put(self, membership: Membership, *, keep_admin: bool = False) -> None:
        """Give a role in place of what role the user has there.

        Raises:
            UserNotFoundError: there is no such user.
            ConflictError: the workspace would have no admin after it, and one is to be kept.
        """
        ...

    async def remove(
        self, user_id: str, workspace: str, project: str | None = None, *, keep_admin: bool = False
    ) -> None:
        """Take a role. Raises `MemberNotFoundError`, `ConflictError` as `put` does."""
        ...


class AuditStore(Protocol):
    """The audit log. Nothing in it is changed, and nothing is taken out."""

    async def add(self, entry: AuditEntry) -> None:
        """Keep an entry."""
        ...

    async def list(self, query: AuditQuery) -> list[AuditEntry]:
        """Return entries, newest first."""
        ...


class Passwords(Protocol):
    """Hashes of passwords, slow on purpose. A hash says by itself how it was made."""

    async def hash(self, password: str) -> str:
        """Return a password's hash. Raises `TooManyRequestsError` where too many wait for theirs."""
        ...

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password has that hash; without one, no, but at the same price.

        Raises:
            TooManyRequestsError: too many wait for theirs.
        """
        ...

    def outdated(self, hashed: str) -> bool:
        """Whether a hash would be made in another way today."""
        ...
