"""What people may do where."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.identity_rows import MembershipRow, UserRow
from daftray.adapters.db.users import user_of
from daftray.domain.errors import ConflictError, MemberNotFoundError, UserNotFoundError
from daftray.domain.principal import Role
from daftray.domain.user import Membership, User

_ALL_OF_IT = ""
"""The project of a role in the whole workspace: part of a primary key cannot be NULL."""


class SqlMembershipStore:
    """The `MembershipStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user_id: str) -> list[Membership]:
        """Return a user's memberships, by workspace and project."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(MembershipRow)
                .where(MembershipRow.user_id == user_id)
                .order_by(MembershipRow.workspace, MembershipRow.project)
            )
            return [_membership_of(row) for row in rows]

    async def members(self, workspace: str, project: str | None = None) -> list[tuple[Membership, User]]:
        """Return a workspace's members by name, those of its projects too, or those of one project alone."""
        found = (
            select(MembershipRow, UserRow)
            .join(UserRow, UserRow.id == MembershipRow.user_id)
            .where(MembershipRow.workspace == workspace)
            .order_by(UserRow.name, MembershipRow.project)
        )
        if project is not None:
            found = found.where(MembershipRow.project == project)
        async with self._database.reading() as session:
            return [
                (_membership_of(row), user_of(user)) for row, user in (await session.execute(found)).all()
            ]

    async def put(self, membership: Membership, *, keep_admin: bool = False) -> None:
        """Give a role in place of the one before. Raises `UserNotFoundError`, `ConflictError`."""
        async with self._database.writing() as session:
            if keep_admin and membership.project is None and membership.role is not Role.ADMIN:
                await _keep_admin(session, membership.user_id, membership.workspace)
            key = {
                "user_id": membership.user_id,
                "workspace": membership.workspace,
                "project": membership.project or _ALL_OF_IT,
            }
            put = insert(session, MembershipRow).values({**key, "role": membership.role})
            try:
                await session.execute(
                    put.on_conflict_do_update(index_elements=list(key), set_={"role": membership.role})
                )
            except IntegrityError as error:
                raise UserNotFoundError from error

    async def remove(
        self, user_id: str, workspace: str, project: str | None = None, *, keep_admin: bool = False
    ) -> None:
        """Take a role. Raises `MemberNotFoundError`, `ConflictError`."""
        async with self._database.writing() as session:
            if keep_admin and project is None:
                await _keep_admin(session, user_id, workspace)
            gone = delete(MembershipRow).where(
                MembershipRow.user_id == user_id,
                MembershipRow.workspace == workspace,
                MembershipRow.project == (project or _ALL_OF_IT),
            )
            if await session.scalar(gone.returning(MembershipRow.user_id)) is None:
                raise MemberNotFoundError


def _membership_of(row: MembershipRow) -> Membership:
    return Membership(
        user_id=row.user_id, workspace=row.workspace, project=row.project or None, role=Role(row.role)
    )


async def _keep_admin(session: AsyncSession, leaving: str, workspace: str) -> None:
    """Refuse that a workspace's last admin leaves; the lock makes two that leave at once do so one by one."""
    admins = set(
        await session.scalars(
            select(MembershipRow.user_id)
            .where(
                MembershipRow.workspace == workspace,
                MembershipRow.project == _ALL_OF_IT,
                MembershipRow.role == Role.ADMIN,
            )
            .with_for_update()
        )
    )
    if admins == {leaving}:
        raise ConflictError("This is the workspace's last admin: make somebody else one first.")
