# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Tasks: saved runs, what starts them, and starting one by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from daftray.client._sync.connection import decode, segment
from daftray.client._sync.place import Place
from daftray.client.answers import RunAnswer, RunPage, TasksAnswer, TaskTriggers
from daftray.client.asked import RunOrId, entrypoint_of, idempotency_header, parameters, run_id
from daftray.client.overrides import Overrides, RunFields, TaskChanges, fields_of
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint
from daftray.domain.task import SaveAsTask, Task, TaskView
from daftray.domain.trigger import Trigger

TaskOrName = Task | str
_PAGE_SIZE = 200


class Tasks:
    """The tasks of a project. Each is given as itself, or by its id or name."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def create(
        self,
        name: str,
        entrypoint: Entrypoint | str,
        *,
        triggers: Sequence[Trigger] = (),
        **fields: Unpack[RunFields],
    ) -> TaskView:
        """Keep a run that can be started again.

        Args:
            name: its name, and that of its runs.
            entrypoint: as of ``runs.create``.
            triggers: what starts it by itself.
            fields: those of ``runs.create``: ``source``, ``environment``, ``secrets``, ``retries`` and so on.

        Raises:
            InvalidInputError: with every issue and its path.
            NameTakenError: the project has a task of that name.
        """
        body = _whole(name, entrypoint, triggers, fields)
        return decode(self._place.connection.call("POST", self._path(), body=body), TaskView)

    def save(self, run: RunOrId, name: str) -> TaskView:
        """Keep as a task what a run was asked to be, with the run's own secrets. A branch stays a branch.

        Raises:
            RunNotFoundError: there is no such run.
            NameTakenError: the project has a task of that name.
        """
        path = f"{self._place.project_path}/runs/{segment(run_id(run))}/save-as-task"
        body = SaveAsTask(name=name)
        return decode(self._place.connection.call("POST", path, body=body), TaskView)

    def list(self) -> list[TaskView]:
        """Return all tasks of the project, by name."""
        found: dict[str, TaskView] = {}
        while True:
            query = parameters(limit=_PAGE_SIZE, offset=len(found))
            answer = self._place.connection.get(self._path(), TasksAnswer, parameters=query)
            fresh = {one.id: one for one in answer.tasks if one.id not in found}
            found.update(fresh)
            # A page without anything new ends it too, or a server that ignores `offset` would never end it.
            if len(answer.tasks) < _PAGE_SIZE or not fresh:
                return list(found.values())

    def get(self, task: TaskOrName) -> TaskView:
        """Return a task. Raises `TaskNotFoundError`."""
        return self._place.connection.get(self._path(task), TaskView)

    def replace(
        self,
        task: TaskOrName,
        name: str,
        entrypoint: Entrypoint | str,
        *,
        triggers: Sequence[Trigger] = (),
        **fields: Unpack[RunFields],
    ) -> TaskView:
        """Put another task in its place, under its id; without ``secrets`` it keeps those that it has.

        Raises:
            TaskNotFoundError: there is no such task.
            InvalidInputError, NameTakenError: as of `create`.
        """
        body = _whole(name, entrypoint, triggers, fields)
        response = self._place.connection.call("PUT", self._path(task), body=body, repeatable=True)
        return decode(response, TaskView)

    def update(self, task: TaskOrName, **changes: Unpack[TaskChanges]) -> TaskView:
        """Change the fields of a task that are given, each as a whole. Raises as `replace`."""
        body = fields_of(changes)
        return decode(self._place.connection.call("PATCH", self._path(task), body=body), TaskView)

    def delete(self, task: TaskOrName) -> None:
        """Remove a task. Its runs stay. Raises `TaskNotFoundError`."""
        self._place.connection.call("DELETE", self._path(task))

    def start(
        self, task: TaskOrName, *, idempotency_key: str | None = None, **overrides: Unpack[Overrides]
    ) -> Run:
        """Make a run of a task and return it, pending; what is given replaces what the task has.

        ``idempotency_key`` is as of ``runs.create``.

        Raises:
            TaskNotFoundError: there is no such task.
            InvalidInputError: the task does not fit together with what is given.
            IdempotencyConflictError: the key was used for another request.
        """
        response = self._place.connection.call(
            "POST",
            f"{self._path(task)}/runs",
            body=fields_of(overrides),
            headers=idempotency_header(idempotency_key),
            repeatable=True,
        )
        return decode(response, RunAnswer).run

    def runs(self, task: TaskOrName, *, limit: int = 50, cursor: str | None = None) -> RunPage:
        """Return a page of a task's runs, newest first. Raises `TaskNotFoundError`."""
        query = parameters(limit=limit, cursor=cursor)
        return self._place.connection.get(f"{self._path(task)}/runs", RunPage, parameters=query)

    def triggers(self, task: TaskOrName) -> TaskTriggers:
        """Return a task's triggers, and what comes of each. Raises `TaskNotFoundError`."""
        return self._place.connection.get(f"{self._path(task)}/triggers", TaskTriggers)

    def set_triggers(self, task: TaskOrName, triggers: Sequence[Trigger]) -> TaskTriggers:
        """Put triggers in the place of those that a task has. Raises as `replace`."""
        response = self._place.connection.call(
            "PUT", f"{self._path(task)}/triggers", body={"triggers": list(triggers)}, repeatable=True
        )
        return decode(response, TaskTriggers)

    def _path(self, task: TaskOrName | None = None) -> str:
        collection = f"{self._place.project_path}/tasks"
        if task is None:
            return collection
        return f"{collection}/{segment(task if isinstance(task, str) else task.id)}"


def _whole(
    name: str, entrypoint: Entrypoint | str, triggers: Sequence[Trigger], fields: RunFields
) -> dict[str, object]:
    parsed = entrypoint_of(entrypoint, None, None)
    return {"name": name, "entrypoint": parsed, "triggers": list(triggers), **fields_of(fields)}
