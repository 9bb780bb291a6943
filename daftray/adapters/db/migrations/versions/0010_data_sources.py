"""Data sources and catalogs of projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ORDERED = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "connections",
        sa.Column("id", _ORDERED, nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("sort", sa.String(40), nullable=False),
        sa.Column("name", _ORDERED, nullable=False),
        sa.Column("info", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.id"], name="fk_connections_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
    )
    op.create_index(
        "ix_connections_project_sort_name", "connections", ["project", "sort", "name"], unique=True
    )
