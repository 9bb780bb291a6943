"""Where prices are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from daftray.domain.price import PriceTable, PriceTableRequest


class PriceStore(Protocol):
    """Price tables of projects, each version for good. They go with their project."""

    async def add(
        self, project_id: str, request: PriceTableRequest, *, created_by: str, created_at: datetime
    ) -> PriceTable:
        """Keep a table as the project's next version; where the newest has the same prices, return that.

        Raises:
            ProjectNotFoundError: the project is not there (any more).
        """
        ...

    async def latest(self, project_id: str) -> PriceTable | None:
        """Return the newest version, if there is any."""
        ...

    async def get(self, project_id: str, version: int) -> PriceTable:
        """Return a version. Raises `PricesNotFoundError`."""
        ...

    async def list(self, project_id: str, *, limit: int, offset: int) -> list[PriceTable]:
        """Return versions, newest first."""
        ...

    async def of_run(self, run_id: str) -> PriceTable | None:
        """Return the version that counts for a run, as `daftray.domain.price.in_force` says."""
        ...
