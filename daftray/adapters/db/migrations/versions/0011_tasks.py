"""Tasks with their triggers, and integrations of workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ORDERED = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "tasks",
        sa.Column("id", _ORDERED, nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", _ORDERED, nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("triggers", sa.Text(), nullable=False),
        sa.Column("secret_names", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_tasks_project", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_project_name", "tasks", ["project", "name"], unique=True)
    # Most runs are of no task: they take no room in it.
    of_tasks = sa.text("task IS NOT NULL")
    op.create_index(
        "ix_runs_of_tasks",
        "runs",
        ["project", "task", "id"],
        sqlite_where=of_tasks,
        postgresql_where=of_tasks,
    )
    op.create_table(
        "integrations",
        sa.Column("id", _ORDERED, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_integrations"),
    )
    op.create_index(
        "ix_integrations_workspace_installation_id",
        "integrations",
        ["workspace", "installation_id"],
        unique=True,
    )
    op.create_index("ix_integrations_installation_id", "integrations", ["installation_id"])
