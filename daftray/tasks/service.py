"""What people do with tasks: save, change, start by hand, remove."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from daftray.domain.errors import InputIssue, InvalidInputError, TaskNotFoundError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, TaskStore
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.domain.spec import RunRequest, RunSpec, Source
from daftray.domain.task import KeptTask, Task, TaskRequest, TaskView
from daftray.domain.trigger import Trigger
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.requests import Origin, check, check_size, misfit, normalised, overridden
from daftray.runs.service import Runs
from daftray.runs.sources import KEPT, RunSources
from daftray.tasks import schedule


class Tasks:
    """The use cases of tasks."""

    def __init__(
        self,
        *,
        store: TaskStore,
        runs: Runs,
        sources: RunSources,
        secrets: ProjectSecrets,
        ids: Ids,
        clock: Clock,
    ) -> None:
        self._store = store
        self._runs = runs
        self._sources = sources
        self._secrets = secrets
        self._ids = ids
        self._clock = clock

    async def create(self, project: Project, request: TaskRequest, principal: Principal) -> TaskView:
        """Keep a new task.

        Raises:
            InvalidInputError: with every issue, or one of its kinds.
            NameTakenError: the project has a task of that name.
        """
        now = self._clock.now()
        task = Task(
            **await self._accepted(project, request),
            id=self._ids.new("tsk", now),
            project=project.id,
            created_by=principal.id,
            created_at=now,
            updated_at=now,
        )
        kept = self._with_secrets(task, request.secrets or {})
        await self._store.add(kept)
        return self.view(kept.task)

    async def save_run(self, project: Project, run_id: str, name: str, principal: Principal) -> TaskView:
        """Keep a run as a task: what it was asked to be, with the run's own secrets.

        A branch stays a branch: the task's runs are of its newest commit then.

        Raises:
            RunNotFoundError: there is no such run.
            NameTakenError: the project has a task of that name.
        """
        run = await self._runs.get(project, run_id)
        fields: dict[str, Any] = {field: getattr(run, field) for field in RunSpec.__struct_fields__}
        fields |= {"name": name, "secrets": await self._secrets.own_of_run(run.id)}
        return await self.create(project, TaskRequest(**fields), principal)

    async def get(self, project: Project, id_or_name: str) -> TaskView:
        """Return a task. Raises `TaskNotFoundError`."""
        return self.view(await self._store.get(project.id, id_or_name))

    async def list(self, project: Project, *, limit: int, offset: int) -> list[TaskView]:
        """Return tasks by name."""
        return [self.view(task) for task in await self._store.list(project.id, limit=limit, offset=offset)]

    async def replace(self, project: Project, id_or_name: str, request: TaskRequest) -> TaskView:
        """Put another task in a task's place, under its id; a new name is its name from then on.

        Raises:
            TaskNotFoundError: there is no such task.
            InvalidInputError: with every issue, or one of its kinds.
            NameTakenError: the project has another task of that name.
        """
        before = await self._store.get(project.id, id_or_name)
        fields = await self._accepted(project, request)
        task = replace(before, **fields, updated_at=self._clock.now())
        kept = KeptTask(task=task) if request.secrets is None else self._with_secrets(task, request.secrets)
        await self._store.save(kept)
        return self.view(kept.task)

    async def change(self, project: Project, id_or_name: str, changes: dict[str, Any]) -> TaskView:
        """Put other values in the place of the top-level fields that are named. Raises as `replace`."""
        before = await self._store.get(project.id, id_or_name)
        names = (name for name in TaskRequest.__struct_fields__ if name != "secrets")
        merged = {**msgspec.to_builtins({name: getattr(before, name) for name in names}), **changes}
        try:
            request = msgspec.convert(merged, TaskRequest)
        except msgspec.ValidationError as exc:
            raise misfit(exc) from exc
        return await self.replace(project, before.id, request)

    async def set_triggers(self, project: Project, id_or_name: str, triggers: list[Trigger]) -> TaskView:
        """Put triggers in the place of those that a task has. Raises as `replace`."""
        before = await self._store.get(project.id, id_or_name)
        _refuse(schedule.check(triggers))
        task = replace(before, triggers=tuple(triggers), updated_at=self._clock.now())
        await self._store.save(KeptTask(task=task))
        return self.view(task)

    async def delete(self, project: Project, id_or_name: str) -> None:
        """Remove a task; its runs stay. Raises `TaskNotFoundError`."""
        task = await self._store.get(project.id, id_or_name)
        await self._store.delete(project.id, task.id)

    async def start(
        self,
        project: Project,
        id_or_name: str,
        overrides: dict[str, Any],
        principal: Principal,
        *,
        key: str | None = None,
    ) -> Run:
        """Make a run of a task, with the top-level fields that are overridden.

        Raises:
            TaskNotFoundError: there is no such task.
            InvalidInputError: the task does not fit together with the overrides.
            IdempotencyConflictError: the key was used for another request.
        """
        task = await self._store.get(project.id, id_or_name)
        own = await self._secrets.of_project(task.id)
        request = overridden(task, overrides, source=task.source, secrets=own)
        origin = Origin(task=task.id)
        # Not of the whole request: a task may change between two sendings of one call.
        asked = [task.id, overrides]
        return await self._runs.create(project, request, principal, key=key, asked=asked, origin=origin)

    async def id_of(self, project: Project, id_or_name: str) -> str:
        """Return a task's id; where there is none of that name, what was given: it may be gone."""
        try:
            return (await self._store.get(project.id, id_or_name)).id
        except TaskNotFoundError:
            return id_or_name

    def view(self, task: Task) -> TaskView:
        """Return a task as it is answered: with what comes of its triggers from now on."""
        now = self._clock.now()
        outlook = tuple(schedule.outlook(trigger, now) for trigger in task.triggers)
        return TaskView(**asdict(task), outlook=outlook)

    async def _accepted(self, project: Project, request: TaskRequest) -> dict[str, Any]:  # Any: fields
        """Return the fields of a task in the form in which they are kept."""
        spec: dict[str, Any] = {field: getattr(request, field) for field in RunSpec.__struct_fields__}
        _refuse(_brought_along(request.source) + schedule.check(request.triggers))
        check(RunRequest(**spec))
        accepted = await self._sources.accept(project, request.source)
        # Where it names no remote, its runs are to follow the project's, wherever that moves.
        spec["source"] = accepted if _names_remote(request.source) else request.source
        spec["environment"] = normalised(request.environment)
        check_size(spec)
        return {**spec, "triggers": tuple(request.triggers)}

    def _with_secrets(self, task: Task, values: dict[str, str]) -> KeptTask:
        sealed = self._secrets.seal(task.id, values)
        return KeptTask(task=replace(task, secret_names=tuple(sorted(values))), secrets=tuple(sealed))


def _names_remote(source: Source) -> bool:
    return source.directory is not None or bool(source.git and source.git.remote)


def _brought_along(source: Source) -> list[InputIssue]:
    """Refuse content of which no run keeps hold: it would be gone when the task is started."""
    git = source.git
    given = {"bundle": git.bundle, "patch": git.patch} if git is not None else {}
    return [
        InputIssue(
            path=f"source.git.{name}", message="push the commits, or save a run that brought them along"
        )
        for name, text in given.items()
        if text and not text.startswith(KEPT)
    ]


def _refuse(issues: list[InputIssue]) -> None:
    if issues:
        raise InvalidInputError("The task cannot be kept as asked.", issues=tuple(issues))
