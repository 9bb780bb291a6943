"""Tasks and integrations in memory."""

from __future__ import annotations

from collections.abc import Sequence

from fake_memory import Memory
from msgspec.structs import asdict, replace

from daftray.domain.errors import (
    IntegrationNotFoundError,
    NameTakenError,
    ProjectNotFoundError,
    TaskNotFoundError,
)
from daftray.domain.integration import Integration
from daftray.domain.project import SealedSecret
from daftray.domain.task import KeptTask, Task

_FIXED = ("id", "project", "created_by", "created_at")


class InMemoryTaskStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._tasks = self._memory.tasks

    async def add(self, kept: KeptTask) -> None:
        task = kept.task
        if self._memory.strict and task.project not in self._memory.projects:
            raise ProjectNotFoundError
        if task.id in self._tasks:
            raise NameTakenError
        self._check_name(task)
        self._tasks[task.id] = task
        self._write(kept.secrets or ())

    async def get(self, project: str, id_or_name: str) -> Task:
        of_project = [task for task in self._tasks.values() if task.project == project]
        for field in ("id", "name"):
            for task in of_project:
                if getattr(task, field) == id_or_name:
                    return task
        raise TaskNotFoundError

    async def list(self, project: str, *, limit: int, offset: int) -> list[Task]:
        found = [task for task in self._tasks.values() if task.project == project]
        return sorted(found, key=lambda task: task.name)[offset : offset + limit]

    async def save(self, kept: KeptTask) -> None:
        task = kept.task
        before = self._found(task.project, task.id)
        self._check_name(task)
        fields = asdict(before)
        self._tasks[task.id] = replace(task, **{name: fields[name] for name in _FIXED})
        if kept.secrets is not None:
            self._forget(task.id)
            self._write(kept.secrets)

    async def delete(self, project: str, task_id: str) -> None:
        self._found(project, task_id)
        del self._tasks[task_id]
        self._forget(task_id)

    def _found(self, project: str, task_id: str) -> Task:
        task = self._tasks.get(task_id)
        if task is None or task.project != project:
            raise TaskNotFoundError
        return task

    def _check_name(self, task: Task) -> None:
        for other in self._tasks.values():
            if (other.project, other.name) == (task.project, task.name) and other.id != task.id:
                raise NameTakenError

    def _write(self, secrets: Sequence[SealedSecret]) -> None:
        for secret in secrets:
            self._memory.secrets[secret.owner, secret.name] = secret

    def _forget(self, owner: str) -> None:
        for key in [key for key in self._memory.secrets if key[0] == owner]:
            del self._memory.secrets[key]


class InMemoryIntegrationStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._integrations = (memory or Memory()).integrations

    async def add(self, integration: Integration) -> Integration:
        for known in self._integrations.values():
            if (known.workspace, known.github) == (integration.workspace, integration.github):
                return known
        self._integrations[integration.id] = integration
        return integration

    async def list(self, workspace: str) -> list[Integration]:
        found = [one for one in self._integrations.values() if one.workspace == workspace]
        return sorted(found, key=lambda one: one.id)

    async def delete(self, workspace: str, installation_id: int) -> Integration:
        for one in await self.list(workspace):
            if one.github.installation_id == installation_id:
                return self._integrations.pop(one.id)
        raise IntegrationNotFoundError

    async def workspaces(self, installation_id: int) -> Sequence[str]:
        found = self._integrations.values()
        return sorted(one.workspace for one in found if one.github.installation_id == installation_id)
