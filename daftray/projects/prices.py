"""Prices: set as a whole, each time as a new version."""

from __future__ import annotations

from daftray.domain.errors import PricesNotFoundError
from daftray.domain.ports import Clock, PriceStore
from daftray.domain.price import PriceTable, PriceTableRequest
from daftray.domain.principal import Principal
from daftray.domain.project import Project


class Prices:
    """The use cases of a project's prices."""

    def __init__(self, *, store: PriceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def set(self, project: Project, request: PriceTableRequest, principal: Principal) -> PriceTable:
        """Keep prices for the runs that are created from now on. Raises `InvalidInputError`."""
        request.check()
        return await self._store.add(
            project.id, request, created_by=principal.id, created_at=self._clock.now()
        )

    async def get(self, project: Project, version: int | None = None) -> PriceTable:
        """Return a version of the prices, the newest unless one is named. Raises `PricesNotFoundError`."""
        if version is not None:
            return await self._store.get(project.id, version)
        newest = await self._store.latest(project.id)
        if newest is None:
            raise PricesNotFoundError("The project has no prices: set them first.")
        return newest

    async def list(self, project: Project, *, limit: int, offset: int) -> list[PriceTable]:
        """Return the versions, newest first."""
        return await self._store.list(project.id, limit=limit, offset=offset)
