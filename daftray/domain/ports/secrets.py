"""Where secret values come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from daftray.domain.run import Run


class Secrets(Protocol):
    """Secret values in the clear, for those who may have them."""

    async def of_project(self, project_id: str) -> Mapping[str, str]:
        """Return a project's secrets by name."""
        ...

    async def of_run(self, run: Run) -> Mapping[str, str]:
        """Return what a run's processes get: its project's secrets, and its own on top."""
        ...
