"""Integrations of workspaces: recorded, listed, taken out."""

from __future__ import annotations

from daftray.domain.ids import Ids
from daftray.domain.integration import Integration, IntegrationRequest
from daftray.domain.ports import Clock, IntegrationStore
from daftray.domain.principal import Principal


class Integrations:
    """The use cases of integrations. `GithubAccess` draws on what is recorded."""

    def __init__(self, *, store: IntegrationStore, ids: Ids, clock: Clock) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock

    async def add(self, workspace: str, request: IntegrationRequest, principal: Principal) -> Integration:
        """Record an installation; one that is recorded already stays as it is."""
        now = self._clock.now()
        return await self._store.add(
            Integration(
                id=self._ids.new("itg", now),
                workspace=workspace,
                github=request.github,
                created_by=principal.id,
                created_at=now,
            )
        )

    async def list(self, workspace: str) -> list[Integration]:
        """Return a workspace's integrations, oldest first."""
        return await self._store.list(workspace)

    async def remove(self, workspace: str, request: IntegrationRequest) -> None:
        """Take an installation out. Raises `IntegrationNotFoundError`."""
        await self._store.delete(workspace, request.github.installation_id)
