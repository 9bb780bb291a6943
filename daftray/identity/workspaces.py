"""Workspaces: made by operators, seen by whoever has something in them."""

from __future__ import annotations

from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, WorkspaceStore
from daftray.domain.principal import Principal
from daftray.domain.workspace import Workspace, WorkspaceRequest


class Workspaces:
    """The use cases of workspaces."""

    def __init__(self, *, store: WorkspaceStore, ids: Ids, clock: Clock) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock

    async def create(self, request: WorkspaceRequest) -> Workspace:
        """Make a workspace. Raises `NameTakenError`."""
        now = self._clock.now()
        made = Workspace(id=self._ids.new("wsp", now), name=request.name, created_at=now)
        await self._store.add(made)
        return made

    async def list(self, caller: Principal) -> list[Workspace]:
        """Return by name the workspaces that the caller has something in."""
        return [one for one in await self._store.list() if caller.sees(one.id)]
