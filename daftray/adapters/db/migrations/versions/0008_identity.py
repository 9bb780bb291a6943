"""Workspaces as things of their own, people and what they may, API keys with bounds, and the audit log."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ORDERED = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)
_ADMIN = 3


def upgrade() -> None:
    """Take the step."""
    _workspaces()
    _users()
    for column in (
        sa.Column("project", sa.Text()),
        sa.Column("operator", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_by", sa.Text()),
        sa.Column("expires_at", _TIME),
        sa.Column("last_used_at", _TIME),
        sa.Column("revoked_at", _TIME),
    ):
        op.add_column("api_keys", column)
    op.create_index("ix_api_keys_workspace_id", "api_keys", ["workspace", "id"])
    keys = sa.table(
        "api_keys",
        sa.column("workspace", sa.Text()),
        sa.column("role", sa.Integer()),
        sa.column("operator", sa.Boolean()),
    )
    # Until now an admin of the default workspace was who runs the server.
    op.execute(
        keys.update().where(keys.c.workspace == "default", keys.c.role == _ADMIN).values(operator=True)
    )
    _audit()


def _workspaces() -> None:
    workspaces = op.create_table(
        "workspaces",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", _ORDERED, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_index("ix_workspaces_name", "workspaces", ["name"], unique=True)
    first = {"id": "default", "name": "default", "created_at": datetime(1970, 1, 1, tzinfo=UTC)}
    op.bulk_insert(workspaces, [first])


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", _ORDERED, nullable=False),
        sa.Column("password", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("disabled_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("ix_users_name", "users", ["name"], unique=True)
    op.create_index("ix_users_subject", "users", ["subject"], unique=True)
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "workspace", "project", name="pk_memberships"),
    )
    op.create_index("ix_memberships_workspace_project", "memberships", ["workspace", "project"])


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", _ORDERED, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("workspace", sa.Text()),
        sa.Column("project", sa.Text()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text()),
        sa.Column("remote", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    for column in ("workspace", "project", "actor", "action"):
        op.create_index(f"ix_audit_log_{column}_id", "audit_log", [column, "id"])
