"""API keys: ``drk.<id>.<secret>``.

Only the SHA-256 of the secret is kept: 256 random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, KeyStore
from daftray.domain.principal import ApiKey, Grant, Principal, Role

PREFIX = "drk"
_USED_EVERY = timedelta(minutes=1)
"""So exactly a key tells when it was last used: no write for each request."""
_FORM = re.compile(rf"{PREFIX}\.([a-z0-9_]{{1,64}})\.(.*)")
_REFUSED = "The API key is not valid. Give a valid one as `Authorization: Bearer <key>`."


class ApiKeys:
    """The use cases of API keys."""

    def __init__(self, *, store: KeyStore, ids: Ids, clock: Clock) -> None:
        self._store = store
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
        return principal_of(key)


def principal_of(key: ApiKey) -> Principal:
    """Return what a key may do."""
    grant = Grant(workspace=key.workspace, project=key.project, role=key.role)
    return Principal(id=key.id, kind="key", name=key.name, grants=(grant,), operator=key.operator)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
