"""People."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict
from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import UserRow
from daftray.domain.errors import ConflictError, NameTakenError, UserNotFoundError
from daftray.domain.user import User


class SqlUserStore:
    """The `UserStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User) -> None:
        """Keep a new user. Raises `NameTakenError`."""
        async with self._database.writing() as session:
            try:
                await session.execute(insert(session, UserRow).values(asdict(user)))
            except IntegrityError as error:
                raise _taken(user) from error

    async def get(self, id_or_name: str) -> User:
        """Return a user; an id wins over a name. Raises `UserNotFoundError`."""
        by_id = UserRow.id == id_or_name
        async with self._database.reading() as session:
            row = await session.scalar(
                select(UserRow)
                .where(or_(by_id, UserRow.name == id_or_name))
                .order_by(case((by_id, 0), else_=1))
                .limit(1)
            )
            if row is None:
                raise UserNotFoundError
            return user_of(row)

    async def by_subject(self, subject: str) -> User | None:
        """Return who that is to the OpenID provider, if anybody."""
        async with self._database.reading() as session:
            row = await session.scalar(select(UserRow).where(UserRow.subject == subject))
            return row and user_of(row)

    async def list(self, *, limit: int, after: str = "") -> list[User]:
        """Return users by name, those after a name."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(UserRow).where(UserRow.name > after).order_by(UserRow.name).limit(limit)
            )
            return [user_of(row) for row in rows]

    async def save(self, user: User, *, keep_operator: bool = False) -> None:
        """Write a changed user. Raises `UserNotFoundError`, `NameTakenError`, `ConflictError`."""
        values = asdict(user)
        del values["id"], values["created_at"]
        changed = update(UserRow).where(UserRow.id == user.id).values(values)
        async with self._database.writing() as session:
            if keep_operator and not (user.operator and user.disabled_at is None):
                await _keep_operator(session, user.id)
            try:
                found = await session.scalar(changed.returning(UserRow.id))
            except IntegrityError as error:
                raise _taken(user) from error
            if found is None:
                raise UserNotFoundError

    async def set_password(self, user_id: str, hashed: str) -> None:
        """Put another hash in place of a user's. Raises `UserNotFoundError`."""
        changed = update(UserRow).where(UserRow.id == user_id).values(password=hashed)
        async with self._database.writing() as session:
            if await session.scalar(changed.returning(UserRow.id)) is None:
                raise UserNotFoundError

    async def bind_subject(self, user_id: str, subject: str) -> bool:
        """Note who a user is to the OpenID provider, where nobody yet. Raises `NameTakenError`."""
        unbound = (UserRow.id == user_id, UserRow.subject.is_(None))
        changed = update(UserRow).where(*unbound).values(subject=subject)
        async with self._database.writing() as session:
            try:
                return await session.scalar(changed.returning(UserRow.id)) is not None
            except IntegrityError as error:
                raise NameTakenError("Somebody else has that OpenID subject.") from error

    async def delete(self, user_id: str, *, keep_operator: bool = False) -> None:
        """Remove a user with all memberships. Raises `UserNotFoundError`, `ConflictError`."""
        async with self._database.writing() as session:
            if keep_operator:
                await _keep_operator(session, user_id)
            gone = delete(UserRow).where(UserRow.id == user_id)
            if await session.scalar(gone.returning(UserRow.id)) is None:
                raise UserNotFoundError


def user_of(row: UserRow) -> User:
    """Return a row as what it is."""
    return msgspec.convert(row, User, from_attributes=True)


async def _keep_operator(session: AsyncSession, leaving: str) -> None:
    """Refuse that the last operator leaves; the lock makes two that leave at once do so one by one."""
    operators = set(
        await session.scalars(
            select(UserRow.id).where(UserRow.operator, UserRow.disabled_at.is_(None)).with_for_update()
        )
    )
    if operators == {leaving}:
        raise ConflictError("This is the last operator: make somebody else one first.")


def _taken(user: User) -> NameTakenError:
    return NameTakenError(f"There is a user {user.name!r} already, or one of the same OpenID subject.")
