"""API keys as callers ask for them and see them; how one is kept is `ApiKey`'s business."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from daftray.domain.principal import ApiKey, RoleName
from daftray.domain.project import DEFAULT_WORKSPACE
from daftray.domain.spec import NonEmpty

LONGEST_LIFE_S = 10 * 366 * 24 * 3600
"""Ten years. Whoever wants a key for longer gives no end at all."""


class KeyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create call. Workspace and project by id or name; ``operator`` is for operators to give.

    Without ``expires_in_s`` (seconds) the key is good until it is revoked.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    workspace: NonEmpty = DEFAULT_WORKSPACE
    project: NonEmpty | None = None
    role: RoleName
    operator: bool = False
    expires_in_s: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_LIFE_S)] | None = None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made. ``key`` is its text, which is shown this once."""

    id: str
    key: str

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"NewKey(id={self.id!r})"


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to see of a key. Workspace and project are ids; ``last_used_at`` is exact to a minute."""

    id: str
    name: str
    workspace: str
    project: str | None
    role: RoleName
    operator: bool
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def info_of(key: ApiKey) -> KeyInfo:
    """Return what there is to see of a key."""
    return KeyInfo(
        id=key.id,
        name=key.name,
        workspace=key.workspace,
        project=key.project,
        role=key.role.word,
        operator=key.operator,
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
