"""Data sources and catalogs."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.connection_rows import ConnectionRow
from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.rows import ProjectRow
from daftray.domain.connection import Connection, ConnectionSort
from daftray.domain.errors import (
    CatalogNotFoundError,
    ConflictError,
    DataSourceNotFoundError,
    NameTakenError,
    NotFoundError,
    ProjectNotFoundError,
)


class SqlConnectionStore:
    """The `ConnectionStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, connection: Connection, *, most: int) -> None:
        """Keep a new one. Raises `ProjectNotFoundError`, `NameTakenError`, `ConflictError`."""
        of_sort = (
            ConnectionRow.project == connection.project,
            ConnectionRow.sort == connection.sort,
        )
        async with self._database.writing() as session:
            # Who adds at the same time waits, so that the count holds.
            found = select(ProjectRow.id).where(ProjectRow.id == connection.project)
            if await session.scalar(found.with_for_update(key_share=True)) is None:
                raise ProjectNotFoundError
            there = await session.scalar(select(func.count()).select_from(ConnectionRow).where(*of_sort))
            if (there or 0) >= most:
                raise ConflictError(f"The project has {most} of them, which is the most: remove some.")
            try:
                await session.execute(insert(session, ConnectionRow).values(asdict(connection)))
            except IntegrityError as error:
                raise _taken(connection) from error

    async def get(self, project: str, sort: ConnectionSort, id_or_name: str) -> Connection:
        """Return one; an id wins over a name. Raises `DataSourceNotFoundError`, `CatalogNotFoundError`."""
        by_id = ConnectionRow.id == id_or_name
        async with self._database.reading() as session:
            row = await session.scalar(
                select(ConnectionRow)
                .where(ConnectionRow.project == project, ConnectionRow.sort == sort)
                .where(or_(by_id, ConnectionRow.name == id_or_name))
                .order_by(case((by_id, 0), else_=1))
                .limit(1)
            )
        if row is None:
            raise not_found(sort)
        return _connection_of(row)

    async def list(
        self, project: str, sort: ConnectionSort, *, limit: int, offset: int = 0
    ) -> list[Connection]:
        """Return a project's, by name."""
        of_sort = select(ConnectionRow).where(ConnectionRow.project == project, ConnectionRow.sort == sort)
        async with self._database.reading() as session:
            rows = await session.scalars(of_sort.order_by(ConnectionRow.name).limit(limit).offset(offset))
            return [_connection_of(row) for row in rows]

    async def save(self, connection: Connection) -> None:
        """Write a changed one. Raises `NameTakenError` and the errors of `get`."""
        changed = {
            "name": connection.name,
            "info": connection.info,
            "updated_at": connection.updated_at,
        }
        named = update(ConnectionRow).where(*_named(connection.project, connection.sort, connection.id))
        async with self._database.writing() as session:
            try:
                found = await session.scalars(named.values(changed).returning(ConnectionRow.id))
            except IntegrityError as error:
                raise _taken(connection) from error
            if found.one_or_none() is None:
                raise not_found(connection.sort)

    async def delete(self, project: str, sort: ConnectionSort, connection_id: str) -> None:
        """Remove one. Raises the errors of `get`."""
        gone = delete(ConnectionRow).where(*_named(project, sort, connection_id))
        async with self._database.writing() as session:
            found = await session.scalars(gone.returning(ConnectionRow.id))
            if found.one_or_none() is None:
                raise not_found(sort)


def not_found(sort: ConnectionSort) -> NotFoundError:
    """Return the error of that sort."""
    return CatalogNotFoundError() if sort is ConnectionSort.CATALOG else DataSourceNotFoundError()


def _named(project: str, sort: ConnectionSort, connection_id: str):  # noqa: ANN202 (conditions of SQLAlchemy's)
    return (
        ConnectionRow.project == project,
        ConnectionRow.sort == sort,
        ConnectionRow.id == connection_id,
    )


def _connection_of(row: ConnectionRow) -> Connection:
    return msgspec.convert(row, Connection, from_attributes=True)


def _taken(connection: Connection) -> NameTakenError:
    what = connection.sort.value.replace("_", " ")
    return NameTakenError(
        f"There is a {what} {connection.name!r} in this project already: choose another name."
    )
