"""Finds a run by its id alone, wherever it is: what short links name."""

from __future__ import annotations

from daftray.domain.errors import ProjectNotFoundError, RunNotFoundError
from daftray.domain.ports import RunStore
from daftray.domain.principal import Principal
from daftray.identity.access import Access, Place


class RunFinder:
    """Finds runs for those who may see them."""

    def __init__(self, *, runs: RunStore, access: Access) -> None:
        self._runs = runs
        self._access = access

    async def place_of(self, caller: Principal, run_id: str) -> Place:
        """Return where a run is at home.

        A run that the caller may not see answers as one that is not there, and is looked for just the same.

        Raises:
            RunNotFoundError: there is no such run, or not for the caller.
        """
        project = await self._runs.project_of(run_id)
        try:
            return await self._access.home_of(caller, project or "")
        except ProjectNotFoundError as exc:
            raise RunNotFoundError("There is no such run.") from exc
