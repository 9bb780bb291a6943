"""Projects."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import ApiKeyRow, MembershipRow
from daftray.adapters.db.rows import ProjectRow, RunRow, SecretRow
from daftray.adapters.db.task_rows import TaskRow
from daftray.domain.errors import ConflictError, NameTakenError, ProjectNotFoundError
from daftray.domain.project import Project


class SqlProjectStore:
    """The `ProjectStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, project: Project) -> None:
        """Keep a new project. Raises `NameTakenError`."""
        async with self._database.writing() as session:
            try:
                await session.execute(insert(session, ProjectRow).values(asdict(project)))
            except IntegrityError as error:
                raise _taken(project) from error

    async def get(self, workspace: str, id_or_name: str) -> Project:
        """Return a project of a workspace; an id wins over a name. Raises `ProjectNotFoundError`."""
        by_id = ProjectRow.id == id_or_name
        async with self._database.reading() as session:
            row = await session.scalar(
                select(ProjectRow)
                .where(ProjectRow.workspace == workspace, or_(by_id, ProjectRow.name == id_or_name))
                .order_by(case((by_id, 0), else_=1))
                .limit(1)
            )
        return _project_of(row, id_or_name)

    async def by_id(self, project_id: str) -> Project:
        """Return a project. Raises `ProjectNotFoundError`."""
        async with self._database.reading() as session:
            return _project_of(await session.get(ProjectRow, project_id), project_id)

    async def list(
        self, workspace: str, *, limit: int, offset: int, only: frozenset[str] | None = None
    ) -> list[Project]:
        """Return projects by name; where ids are given, those among them alone."""
        found = select(ProjectRow).where(ProjectRow.workspace == workspace).order_by(ProjectRow.name)
        if only is not None:
            found = found.where(ProjectRow.id.in_(only))
        async with self._database.reading() as session:
            rows = await session.scalars(found.limit(limit).offset(offset))
            return [_project_of(row, row.id) for row in rows]

    async def save(self, project: Project) -> None:
        """Write a changed project. Raises `NameTakenError`, `ProjectNotFoundError`."""
        changed = update(ProjectRow).where(ProjectRow.id == project.id)
        async with self._database.writing() as session:
            try:
                found = await session.scalars(
                    changed.values(
                        name=project.name, source=project.source, max_running=project.max_running
                    ).returning(ProjectRow.id)
                )
            except IntegrityError as error:
                raise _taken(project) from error
            if found.one_or_none() is None:
                raise _missing(project.id)

    async def delete(self, project_id: str) -> None:
        """Remove a project and all that hangs on it. Raises `ConflictError` while a run of it goes on."""
        runs = select(RunRow.id).where(RunRow.project == project_id)
        tasks = select(TaskRow.id).where(TaskRow.project == project_id)
        async with self._database.writing() as session:
            # Its lock keeps new runs of the project out.
            await session.execute(select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update())
            if await session.scalar(runs.where(RunRow.due_at.is_not(None)).limit(1)):
                raise ConflictError("The project has runs that have not ended: cancel them first.")
            await session.execute(
                delete(SecretRow).where(
                    or_(
                        SecretRow.owner == project_id,
                        SecretRow.owner.in_(runs),
                        SecretRow.owner.in_(tasks),
                    )
                )
            )
            await session.execute(delete(MembershipRow).where(MembershipRow.project == project_id))
            await session.execute(delete(ApiKeyRow).where(ApiKeyRow.project == project_id))
            await session.execute(delete(ProjectRow).where(ProjectRow.id == project_id))


def _project_of(row: ProjectRow | None, asked: str) -> Project:
    if row is None:
        raise _missing(asked)
    return msgspec.convert(row, Project, from_attributes=True)


def _missing(asked: str) -> ProjectNotFoundError:
    return ProjectNotFoundError(f"There is no project {asked!r} in this workspace.")


def _taken(project: Project) -> NameTakenError:
    return NameTakenError(f"There is a project {project.name!r} already: choose another name.")
