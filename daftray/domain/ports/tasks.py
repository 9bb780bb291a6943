"""Where tasks are kept."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.task import KeptTask, Task


class TaskStore(Protocol):
    """Tasks of projects. They go with their project, and their own secrets with them."""

    async def add(self, kept: KeptTask) -> None:
        """Keep a new task. Raises `NameTakenError`, `ProjectNotFoundError`."""
        ...

    async def get(self, project: str, id_or_name: str) -> Task:
        """Return a project's task; an id wins over a name. Raises `TaskNotFoundError`."""
        ...

    async def list(self, project: str, *, limit: int, offset: int) -> list[Task]:
        """Return a project's tasks by name."""
        ...

    async def save(self, kept: KeptTask) -> None:
        """Write a changed task; secrets that are given take the place of all that it had.

        Raises `NameTakenError`, `TaskNotFoundError`.
        """
        ...

    async def delete(self, project: str, task_id: str) -> None:
        """Remove a task and its secrets; its runs keep its id. Raises `TaskNotFoundError`."""
        ...
