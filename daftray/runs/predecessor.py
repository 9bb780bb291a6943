"""The run that another one is measured by: what its task ran before, else the run that it repeats."""

from __future__ import annotations

from typing import Literal

import msgspec

from daftray.domain.ports import RunQuery
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.runs.service import Runs

_FAR_BACK = 20
"""Runs of a task that are looked at: the last may have been cancelled before any code of theirs ran."""


class Predecessor(msgspec.Struct, frozen=True, kw_only=True):
    """A run by its id, and what it is to the other: of the same ``task``, ``repeated``, or just ``named``."""

    run: str
    kind: Literal["task", "repeated", "named"]


async def predecessor(runs: Runs, project: Project, run: Run) -> Predecessor | None:
    """Return the run before this one, if there is one.

    Of a run of a task that is the last one before it that has ended and had a job; of another run, or where
    the task has none, the run that it repeats.
    """
    if run.task is not None:
        query = RunQuery(project=project.id, task=run.task, before=run.id, limit=_FAR_BACK)
        for earlier in await runs.list(query):
            if earlier.status.terminal and earlier.attempts:
                return Predecessor(run=earlier.id, kind="task")
    return Predecessor(run=run.rerun_of, kind="repeated") if run.rerun_of is not None else None
