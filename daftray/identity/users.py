"""People: who they are, their passwords, and what they may do."""

from __future__ import annotations

from msgspec.structs import replace

from daftray.domain.errors import ForbiddenError, InvalidInputError, UnauthenticatedError, UserNotFoundError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, MembershipStore, Passwords, UserStore
from daftray.domain.principal import Grant, Principal
from daftray.domain.user import User, UserPatch, UserRequest

RESERVED = {"me"}
"""Names that mean something else in a path."""
_GONE = "The user is not there any more, or is disabled."
_WRONG = "The name or the password is wrong."


class Users:
    """The use cases of people. Whoever calls these was found to be allowed to."""

    def __init__(
        self,
        *,
        store: UserStore,
        memberships: MembershipStore,
        passwords: Passwords,
        ids: Ids,
        clock: Clock,
    ) -> None:
        self._store = store
        self._memberships = memberships
        self._passwords = passwords
        self._ids = ids
        self._clock = clock

    async def principal(self, user_id: str) -> Principal:
        """Return what a person may do now. Raises `UnauthenticatedError` where they are gone or disabled."""
        try:
            user = await self._store.get(user_id)
        except UserNotFoundError as exc:
            raise UnauthenticatedError(_GONE) from exc
        memberships = await self._memberships.of_user(user_id)
        if user.id != user_id or user.disabled_at is not None:
            raise UnauthenticatedError(_GONE)
        grants = tuple(Grant(workspace=it.workspace, project=it.project, role=it.role) for it in memberships)
        return Principal(id=user.id, kind="person", name=user.name, grants=grants, operator=user.operator)

    async def verify(self, name: str, password: str) -> User:
        """Return who signs in with that name and password.

        An unknown name, somebody without a password and somebody who is disabled take the work of a wrong
        password, and answer the same.

        Raises:
            UnauthenticatedError: they do not.
            TooManyRequestsError: too many sign in at this moment.
        """
        user = await self.named(name)
        hashed = user.password if user else None
        right = await self._passwords.matches(password, hashed)
        if user is None or hashed is None or not right or user.disabled_at is not None:
            raise UnauthenticatedError(_WRONG)
        if self._passwords.outdated(hashed):
            await self._store.set_password(user.id, await self._passwords.hash(password))
        return user

    async def named(self, name: str) -> User | None:
        """Return who has that name, however it is typed, if anybody."""
        try:
            return await self._store.get(name.lower())
        except UserNotFoundError:
            return None

    async def create(self, request: UserRequest) -> User:
        """Make a user. Raises `NameTakenError`, `InvalidInputError`."""
        now = self._clock.now()
        user = User(
            id=self._ids.new("usr", now),
            name=_checked(request.name),
            password=None if request.password is None else await self._passwords.hash(request.password),
            subject=request.subject,
            operator=request.operator,
            created_at=now,
        )
        await self._store.add(user)
        return user

    async def get(self, id_or_name: str) -> User:
        """Return a user. Raises `UserNotFoundError`."""
        return await self._store.get(id_or_name.lower())

    async def list(self, *, limit: int, after: str = "") -> list[User]:
        """Return users by name, those after a name."""
        return await self._store.list(limit=limit, after=after)

    async def update(self, caller: Principal, user: User, patch: UserPatch) -> User:
        """Change what the patch names.

        Raises:
            NameTakenError: the name is another's.
            ConflictError: the caller would be the last operator to go.
        """
        hashed = None if patch.password is None else await self._passwords.hash(patch.password)
        user = await self._store.get(user.id)  # again: a hash takes long, and others act meanwhile
        changed = user
        if patch.name is not None:
            changed = replace(changed, name=_checked(patch.name))
        if hashed is not None:
            changed = replace(changed, password=hashed)
        if patch.operator is not None:
            changed = replace(changed, operator=patch.operator)
        if patch.disabled is not None:
            since = user.disabled_at or self._clock.now()
            changed = replace(changed, disabled_at=since if patch.disabled else None)
        await self._store.save(changed, keep_operator=_leaves(caller, user))
        return changed

    async def change_password(self, caller: Principal, *, old: str, new: str) -> User:
        """Give a person a new password, who knows the old one. Raises `ForbiddenError` where they do not."""
        if caller.kind != "person":
            raise InvalidInputError("An API key has no password: sign in as a person.")
        try:
            known = await self.verify(caller.name, old)
        except UnauthenticatedError as exc:
            raise ForbiddenError("The old password is wrong.") from exc
        await self._store.set_password(known.id, await self._passwords.hash(new))
        return known

    async def delete(self, caller: Principal, user: User) -> None:
        """Remove a user. Raises `ConflictError` where the caller would be the last operator to go."""
        await self._store.delete(user.id, keep_operator=_leaves(caller, user))


def _leaves(caller: Principal, user: User) -> bool:
    """Whether an operator acts on themselves. Whoever acts on somebody else stays, and can give it back."""
    return user.operator and caller.id == user.id


def _checked(name: str) -> str:
    if name.lower() in RESERVED:
        raise InvalidInputError(f"Nobody can be called {name!r}: choose another name.")
    return name.lower()
