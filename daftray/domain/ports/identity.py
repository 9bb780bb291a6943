"""Where workspaces, people and their keys are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from daftray.domain.principal import ApiKey
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
