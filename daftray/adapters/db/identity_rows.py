"""The tables of workspaces, people, API keys and the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT
from daftray.adapters.db.rows import Row


class WorkspaceRow(Row):
    """A workspace."""

    __tablename__ = "workspaces"
    __table_args__ = (Index(None, "name", unique=True),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ORDERED_TEXT)
    created_at: Mapped[datetime]


class UserRow(Row):
    """A person. ``password`` is the argon2 hash, ``subject`` who they are to the OpenID provider."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "name", unique=True), Index(None, "subject", unique=True))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ORDERED_TEXT)
    password: Mapped[str | None]
    subject: Mapped[str | None]
    operator: Mapped[bool]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class MembershipRow(Row):
    """A person's role in a project, or in the whole workspace where ``project`` is empty."""

    __tablename__ = "memberships"
    __table_args__ = (Index(None, "workspace", "project"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    workspace: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[int]


class ApiKeyRow(Row):
    """An API key: the digest of its secret part, never the key."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "workspace", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    workspace: Mapped[str]
    project: Mapped[str | None]
    role: Mapped[int]
    operator: Mapped[bool] = mapped_column(server_default=false())
    digest: Mapped[str]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditRow(Row):
    """One change: who made it, when, from where."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "workspace", "id"),
        Index(None, "project", "id"),
        Index(None, "actor", "id"),
        Index(None, "action", "id"),
    )

    id: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    at: Mapped[datetime]
    workspace: Mapped[str | None]
    project: Mapped[str | None]
    actor: Mapped[str]
    actor_name: Mapped[str]
    action: Mapped[str]
    target: Mapped[str | None]
    remote: Mapped[str | None]
