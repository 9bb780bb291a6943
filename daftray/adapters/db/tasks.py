"""Tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.new_runs import hold_project
from daftray.adapters.db.rows import SecretRow
from daftray.adapters.db.task_rows import TaskRow
from daftray.domain.errors import NameTakenError, TaskNotFoundError
from daftray.domain.project import SealedSecret
from daftray.domain.task import KeptTask, Task, TaskSpec

_SPEC = TaskSpec.__struct_fields__
_OWN = tuple(name for name in Task.__struct_fields__ if name not in _SPEC)
_FIXED = frozenset({"id", "project", "created_by", "created_at"})


class SqlTaskStore:
    """The `TaskStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, kept: KeptTask) -> None:
        """Keep a new task. Raises `NameTakenError`, `ProjectNotFoundError`."""
        async with self._database.writing() as session:
            await hold_project(session, kept.task.project)
            try:
                await session.execute(insert(session, TaskRow).values(_values(kept.task)))
            except IntegrityError as error:
                raise _taken(kept.task) from error
            await _write_secrets(session, kept.secrets or ())

    async def get(self, project: str, id_or_name: str) -> Task:
        """Return a project's task; an id wins over a name. Raises `TaskNotFoundError`."""
        by_id = TaskRow.id == id_or_name
        async with self._database.reading() as session:
            row = await session.scalar(
                select(TaskRow)
                .where(TaskRow.project == project, or_(by_id, TaskRow.name == id_or_name))
                .order_by(case((by_id, 0), else_=1))
                .limit(1)
            )
        if row is None:
            raise TaskNotFoundError
        return _task_of(row)

    async def list(self, project: str, *, limit: int, offset: int) -> list[Task]:
        """Return a project's tasks by name."""
        async with self._database.reading() as session:
            of_project = select(TaskRow).where(TaskRow.project == project)
            rows = await session.scalars(of_project.order_by(TaskRow.name).limit(limit).offset(offset))
            return [_task_of(row) for row in rows]

    async def save(self, kept: KeptTask) -> None:
        """Write a changed task. Raises `NameTakenError`, `TaskNotFoundError`."""
        task = kept.task
        changed = {name: value for name, value in _values(task).items() if name not in _FIXED}
        named = update(TaskRow).where(TaskRow.id == task.id, TaskRow.project == task.project)
        async with self._database.writing() as session:
            try:
                found = await session.scalars(named.values(changed).returning(TaskRow.id))
            except IntegrityError as error:
                raise _taken(task) from error
            if found.one_or_none() is None:
                raise TaskNotFoundError
            if kept.secrets is not None:
                await session.execute(delete(SecretRow).where(SecretRow.owner == task.id))
                await _write_secrets(session, kept.secrets)

    async def delete(self, project: str, task_id: str) -> None:
        """Remove a task and its secrets. Raises `TaskNotFoundError`."""
        gone = delete(TaskRow).where(TaskRow.project == project, TaskRow.id == task_id)
        async with self._database.writing() as session:
            found = await session.scalars(gone.returning(TaskRow.id))
            if found.one_or_none() is None:
                raise TaskNotFoundError
            await session.execute(delete(SecretRow).where(SecretRow.owner == task_id))


async def _write_secrets(session: AsyncSession, secrets: Sequence[SealedSecret]) -> None:
    if secrets:
        await session.execute(insert(session, SecretRow), [asdict(secret) for secret in secrets])


def _values(task: Task) -> dict[str, Any]:  # Any: column values of every type
    spec = TaskSpec(**{name: getattr(task, name) for name in _SPEC})
    return {"name": task.name, "spec": spec, **{name: getattr(task, name) for name in _OWN}}


def _task_of(row: TaskRow) -> Task:
    # The name of the column is the one that an index keeps apart; the spec holds the same.
    return Task(
        **{name: getattr(row.spec, name) for name in _SPEC}, **{name: getattr(row, name) for name in _OWN}
    )


def _taken(task: Task) -> NameTakenError:
    return NameTakenError(f"There is a task {task.name!r} in this project already: choose another name.")
