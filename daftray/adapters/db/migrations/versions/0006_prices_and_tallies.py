"""Prices of projects, and counts of the runs that end from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CODE = sa.String(40)
_DOUBLE: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "price_tables",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_project("price_tables"),
        sa.PrimaryKeyConstraint("project", "version", name="pk_price_tables"),
    )
    op.create_table(
        "ended_runs",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("status", _CODE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        _of_project("ended_runs"),
        sa.PrimaryKeyConstraint("project", "status", "reason", name="pk_ended_runs"),
    )
    used = ("requests", "tokens_in", "tokens_out", "cpu_seconds", "cost")
    op.create_table(
        "ended_usage",
        sa.Column("project", sa.Text(), nullable=False),
        *(sa.Column(name, _DOUBLE, nullable=False) for name in used),
        _of_project("ended_usage"),
        sa.PrimaryKeyConstraint("project", name="pk_ended_usage"),
    )
    op.create_table(
        "ended_phases",
        sa.Column("phase", _CODE, nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("seconds", _DOUBLE, nullable=False),
        sa.PrimaryKeyConstraint("phase", "bucket", name="pk_ended_phases"),
    )


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project"], ["projects.id"], name=f"fk_{table}_project", ondelete="CASCADE"
    )
