"""Mirrors that are brought up to date beside everything else, since somebody said that there is news."""

from __future__ import annotations

import asyncio
import logging

from daftray.domain.errors import DaftrayError
from daftray.domain.ports import GitMirrors
from daftray.projects.service import Projects

log = logging.getLogger(__name__)

BOUND = 1000
"""Remotes that wait at a time. One that finds no room is brought up to date by its next run."""
_AT_ONCE = 2


class Refreshes:
    """Refreshes remotes of projects, each by one at a time, once more where news came meanwhile."""

    def __init__(self, *, projects: Projects, mirrors: GitMirrors) -> None:
        self._projects = projects
        self._mirrors = mirrors
        self._news: dict[tuple[str, str], bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def ask(self, project: str, remote: str) -> None:
        """Have a remote of a project, by id, refreshed soon; ask as often as you like."""
        key = (project, remote)
        if key in self._news:
            self._news[key] = True
        elif len(self._news) < BOUND:
            self._news[key] = True
            task = asyncio.create_task(self._carry(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            log.warning("too many mirrors wait to be refreshed", extra={"action": "refresh"})

    async def settle(self) -> None:
        """Wait until nothing waits any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Leave the rest: the server stops."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, key: tuple[str, str]) -> None:
        try:
            while self._news[key]:
                async with self._turns:
                    self._news[key] = False
                    await self._refresh(*key)
        finally:
            del self._news[key]

    async def _refresh(self, project: str, remote: str) -> None:
        fields = {"action": "refresh", "project": project}
        try:
            await self._mirrors.refresh(await self._projects.repository(project, remote))
        except DaftrayError as exc:
            log.warning("a mirror was not refreshed: %s", exc.detail, extra={**fields, "code": exc.code})
        except Exception:  # a defect of ours must not end in a task that nobody looks at
            log.exception("a mirror was not refreshed", extra=fields)
