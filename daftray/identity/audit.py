"""The audit log: every change, with who made it, when, and from where."""

from __future__ import annotations

import msgspec

from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.domain.errors import UserNotFoundError
from daftray.domain.ids import Ids
from daftray.domain.ports import AuditStore, Clock, UserStore
from daftray.domain.principal import Principal

NOBODY = "anonymous"
LONGEST_TARGET = 500
"""Characters. A path may be longer, and is cut."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, as it is told to the log. Workspace and project are ids."""

    action: str
    actor: Principal | None
    target: str | None = None
    workspace: str | None = None
    project: str | None = None
    remote: str | None = None


class AuditLog:
    """Keeps changes and shows them. It holds no secret values: whoever tells of a change sees to that."""

    def __init__(self, *, store: AuditStore, users: UserStore, ids: Ids, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._ids = ids
        self._clock = clock

    async def record(self, change: Change) -> None:
        """Keep a change."""
        await self._keep(
            change,
            actor=change.actor.id if change.actor else NOBODY,
            name=change.actor.name if change.actor else NOBODY,
        )

    async def login_failed(self, name: str, *, remote: str | None) -> None:
        """Keep that somebody could not sign in.

        A name that nobody has is not kept: people type passwords where names belong.
        """
        try:
            user = await self._users.get(name.lower())
        except UserNotFoundError:
            user = None
        change = Change(
            action="session.refuse", actor=None, target=user.name if user else None, remote=remote
        )
        await self._keep(change, actor=user.id if user else NOBODY, name=user.name if user else NOBODY)

    async def list(self, query: AuditQuery) -> list[AuditEntry]:
        """Return changes, newest first."""
        return await self._store.list(query)

    async def _keep(self, change: Change, *, actor: str, name: str) -> None:
        now = self._clock.now()
        await self._store.add(
            AuditEntry(
                id=self._ids.new("aud", now),
                at=now,
                workspace=change.workspace,
                project=change.project,
                actor=actor,
                actor_name=name,
                action=change.action,
                target=change.target[:LONGEST_TARGET] if change.target else None,
                remote=change.remote,
            )
        )
