"""Problems by process, so that their counts are exact however often a report comes; and samples of them.

What was there came with the end of an attempt, once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ORDERED = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "problem_groups",
        *_of_attempt("problem_groups", "fingerprint"),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("stacktrace", sa.Text()),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("origin", _ORDERED, nullable=False),
    )
    op.create_table(
        "problem_counts",
        *_of_attempt("problem_counts", "process", "key"),
        sa.Column("process", _ORDERED, nullable=False),
        sa.Column("key", _ORDERED, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("handled", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
    )
    op.create_table(
        "problem_samples",
        *_of_attempt("problem_samples", "fingerprint", "at", "digest"),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("digest", _ORDERED, nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
    )
    op.execute(
        "INSERT INTO problem_groups (run_id, attempt, fingerprint, problem, first_seen, origin) "
        "SELECT run_id, attempt, fingerprint, problem, first_seen, '' FROM problems"
    )
    op.execute(
        "INSERT INTO problem_counts "
        "(run_id, attempt, process, key, fingerprint, handled, count, first_seen, last_seen) "
        "SELECT run_id, attempt, '', fingerprint, fingerprint, 'raise', count, first_seen, last_seen "
        "FROM problems"
    )
    op.drop_table("problems")


def _of_attempt(table: str, *key: str) -> list[sa.schema.SchemaItem]:
    """Return what ties a table to an attempt of a run."""
    return [
        sa.Column("run_id", _ORDERED, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=f"fk_{table}_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", *key, name=f"pk_{table}"),
    ]
