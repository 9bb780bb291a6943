"""A task: a run that was saved, to be started again. Daft Cloud's client calls it an app."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from daftray.domain.project import SealedSecret
from daftray.domain.spec import RunSpec, VariableName
from daftray.domain.trigger import Outlook, Trigger

TaskName = Annotated[
    str, msgspec.Meta(pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f])?$")
]
"""Any text on one line without spaces at its ends: Daft Cloud's client takes whatever people type."""
Triggers = Annotated[list[Trigger], msgspec.Meta(max_length=50)]


class TaskSpec(RunSpec, frozen=True, kw_only=True):
    """What the runs of a task are asked to be. Its name is the task's, and that of its runs."""

    name: TaskName  # pyright: ignore[reportGeneralTypeIssues] (a run may go without, a task may not)


class TaskRequest(TaskSpec, frozen=True, kw_only=True):
    """The body of a create call, and of one that replaces a task.

    ``secrets`` are the task's own, which its runs get; without the field a task keeps those that it has.
    """

    triggers: Triggers = msgspec.field(default_factory=list[Trigger])
    secrets: dict[VariableName, str] | None = None


class Task(TaskSpec, frozen=True, kw_only=True):
    """A task as it is kept. Times are UTC."""

    id: str
    project: str
    triggers: tuple[Trigger, ...] = ()
    secret_names: tuple[str, ...] = ()
    created_by: str
    created_at: datetime
    updated_at: datetime


class TaskView(Task, frozen=True, kw_only=True):
    """A task as the API answers it: ``outlook`` has one entry for each trigger, in their order."""

    outlook: tuple[Outlook, ...] = ()


class SaveAsTask(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the call that saves a run as a task."""

    name: TaskName


class KeptTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task to be kept, with its own secrets; none of these leaves those that there are."""

    task: Task
    secrets: tuple[SealedSecret, ...] | None = None
