"""Who may make, see and revoke which API keys."""

from __future__ import annotations

from datetime import timedelta

from daftray.domain.api_key import KeyRequest
from daftray.domain.errors import ForbiddenError, InvalidInputError, KeyNotFoundError
from daftray.domain.ports import Clock, KeyStore
from daftray.domain.principal import ApiKey, Principal, Role
from daftray.identity.access import Access, Place
from daftray.identity.keys import ApiKeys

_NOT_ADMIN = "This needs the role admin."


class IssuedKeys:
    """The use cases of whoever gives out keys.

    Keys are an admin's: of the workspace, or of the project that a key is narrowed to. An operator's keys are
    for operators alone, to make, to see and to revoke.
    """

    def __init__(self, *, keys: ApiKeys, store: KeyStore, access: Access, clock: Clock) -> None:
        self._keys = keys
        self._store = store
        self._access = access
        self._clock = clock

    async def create(self, caller: Principal, request: KeyRequest) -> tuple[Place, str]:
        """Make a key; return where it opens, and its text.

        Raises:
            WorkspaceNotFoundError, ProjectNotFoundError: they are not there, or not for the caller.
            ForbiddenError: the caller does not hold as much there.
            InvalidInputError: an operator's key is to be narrowed.
        """
        place = await self._access.enter(caller, request.workspace, request.project)
        role = Role.of(request.role)
        if place.role is not Role.ADMIN:
            raise ForbiddenError(_NOT_ADMIN)
        if request.operator and not caller.operator:
            raise ForbiddenError("Only an operator makes an operator's key.")
        if request.operator and (role is not Role.ADMIN or place.project is not None):
            raise InvalidInputError("An operator's key opens everything: give role admin, and no project.")
        lifetime = None if request.expires_in_s is None else timedelta(seconds=request.expires_in_s)
        text = await self._keys.create(
            name=request.name,
            workspace=place.workspace.id,
            project=place.project.id if place.project else None,
            role=role,
            operator=request.operator,
            created_by=caller.id,
            expires_at=None if lifetime is None else self._clock.now() + lifetime,
        )
        return place, text

    async def list(self, caller: Principal, workspace: str) -> list[ApiKey]:
        """Return those of a workspace's keys that are the caller's to revoke, oldest first.

        Raises:
            WorkspaceNotFoundError: it is not there, or not for the caller.
            ForbiddenError: none of it is the caller's to change.
        """
        place = await self._access.enter(caller, workspace)
        if not caller.administers_in(place.workspace.id):
            raise ForbiddenError(_NOT_ADMIN)
        return [key for key in await self._store.list(place.workspace.id) if _rules(caller, key)]

    async def revoke(self, caller: Principal, key_id: str) -> ApiKey:
        """Close a key for good. Raises `KeyNotFoundError` where it is not there, or not the caller's."""
        key = await self._store.get(key_id)
        if key is None or not _rules(caller, key):
            raise KeyNotFoundError("There is no such API key.")
        await self._store.revoke(key.id, self._clock.now())
        return key


def _rules(caller: Principal, key: ApiKey) -> bool:
    """Whether a key is the caller's to see and revoke."""
    return caller.operator or (not key.operator and caller.role_in(key.workspace, key.project) is Role.ADMIN)
