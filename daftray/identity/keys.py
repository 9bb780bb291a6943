"""API keys: ``drk.<id>.<secret>``.

Only the SHA-256 of the secret is kept: 256 random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids, Kind
from daftray.domain.ports import Clock, KeyStore
from daftray.domain.principal import ApiKey, Grant, Principal, Role

PREFIX = "drk"
_USED_EVERY = timedelta(minutes=1)
"""So exactly a key tells when it was last used: no write for each request."""
_FORM = re.compile(rf"{PREFIX}\.([a-z0-9_]{{1,64}})\.(.*)")
_PERSON: Kind = "usr"
_REFUSED = "The API key is not valid. Give a valid one as `Authorization: Bearer <key>`."


Maker = Callable[[str], Awaitable[Principal]]
"""Gives what the person of an id may do now. Raises `UnauthenticatedError` where they are gone."""


class ApiKeys:
    """Makes and checks API keys.

    What a person made never opens more than that person may do, and nothing once they are disabled.
    """

    def __init__(self, *, store: KeyStore, ids: Ids, clock: Clock, maker: Maker | None = None) -> None:
        self._store = store
        self._maker = maker
        self._ids = ids
        self._clock = clock

    async def create(
        self,
        *,
        name: str,
        workspace: str,
        role: Role,
        project: str | None = None,
        operator: bool = False,
        created_by: str | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Make a key and return its text, which cannot be had again."""
        now = self._clock.now()
        key_id, secret = self._ids.new("key", now), self._ids.token()
        await self._store.add(
            ApiKey(
                id=key_id,
                name=name,
                workspace=workspace,
                project=project,
                role=role,
                operator=operator,
                digest=_digest(secret),
                created_by=created_by,
                created_at=now,
                expires_at=expires_at,
            )
        )
        return f"{PREFIX}.{key_id}.{secret}"

    async def authenticate(self, text: str) -> Principal:
        """Return who holds the key. Raises `UnauthenticatedError`."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise UnauthenticatedError(_REFUSED)
        key_id, secret = match.groups()
        key, now = await self._store.get(key_id), self._clock.now()
        digest = key.digest if key else _digest("")
        matches = hmac.compare_digest(digest, _digest(secret))
        if key is None or not matches or not key.opens_at(now):
            raise UnauthenticatedError(_REFUSED)
        if key.last_used_at is None or now - key.last_used_at > _USED_EVERY:
            await self._store.used(key.id, now)
        return await holder_of(key, self._maker)


def principal_of(key: ApiKey) -> Principal:
    """Return what a key may do."""
    grant = Grant(workspace=key.workspace, project=key.project, role=key.role)
    return Principal(id=key.id, kind="key", name=key.name, grants=(grant,), operator=key.operator)


async def holder_of(key: ApiKey, maker: Maker | None) -> Principal:
    """Return what a key may do now, which is no more than whoever made it, where that was a person.

    Raises:
        UnauthenticatedError: that is nothing.
    """
    holder, made_by = principal_of(key), key.created_by or ""
    if maker is None or not made_by.startswith(f"{_PERSON}_"):
        return holder
    return bounded(holder, await maker(made_by))


def bounded(holder: Principal, maker: Principal) -> Principal:
    """Return a key's holder, who may do no more than the person who made the key may do now.

    Raises:
        UnauthenticatedError: that is nothing.
    """
    (grant,) = holder.grants
    held = maker.role_in(grant.workspace, grant.project)
    if held is None or (holder.operator and not maker.operator):
        raise UnauthenticatedError(_REFUSED)
    return replace(holder, grants=(replace(grant, role=min(grant.role, held)),))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
