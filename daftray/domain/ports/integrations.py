"""Where integrations of workspaces are kept, and what they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from daftray.domain.integration import Integration


class IntegrationStore(Protocol):
    """Integrations of workspaces."""

    async def add(self, integration: Integration) -> Integration:
        """Keep an integration; where the workspace has that installation already, return what is there."""
        ...

    async def list(self, workspace: str) -> list[Integration]:
        """Return a workspace's integrations, oldest first."""
        ...

    async def delete(self, workspace: str, installation_id: int) -> Integration:
        """Take an integration out and return it. Raises `IntegrationNotFoundError`."""
        ...

    async def workspaces(self, installation_id: int) -> Sequence[str]:
        """Return the workspaces that have recorded an installation."""
        ...
