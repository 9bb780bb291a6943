"""Retries, deadlines, the queue's order and idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.add_column("projects", sa.Column("max_running", sa.Integer()))
    op.add_column("runs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("not_before", _TIME))
    op.add_column("runs", sa.Column("cluster_silent_since", _TIME))
    op.add_column("attempts", sa.Column("reason_detail", sa.Text()))
    op.add_column("attempts", sa.Column("prepared_at", _TIME))
    op.add_column("attempts", sa.Column("last_lines", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("attempts", sa.Column("log_removed_at", _TIME))
    op.add_column("reports", sa.Column("heard_at", _TIME))
    op.create_table(
        "idempotency_keys",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("run_ids", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.id"], name="fk_idempotency_keys_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project", "key", name="pk_idempotency_keys"),
    )
