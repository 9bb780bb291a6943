"""The first tables.

A step keeps its own copy of the column types: what it made must not change when the code does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ORDERED = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
_CODE = sa.String(40)
_TIME = sa.DateTime(timezone=True)
_DOUBLE: sa.Double[float] = sa.Double()
_LIVE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Take the step."""
    _make_projects()
    _make_runs()
    _index_runs()
    _make_what_hangs_on_runs()
    _make_reports()
    _make_counts()


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null, autoincrement=False)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, _TIME, nullable=null)


def _of_run(table: str, *key: str) -> list[sa.schema.SchemaItem]:
    """Return what ties a table to its run: the column, the foreign key and the primary key."""
    return [
        sa.Column("run_id", _ORDERED, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=f"fk_{table}_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", *key, name=f"pk_{table}"),
    ]


def _make_projects() -> None:
    op.create_table(
        "projects",
        _text("id"),
        _text("workspace"),
        sa.Column("name", _ORDERED, nullable=False),
        _text("source"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
    )
    op.create_index("ix_projects_workspace_name", "projects", ["workspace", "name"], unique=True)
    op.create_table(
        "secrets",
        _text("owner"),
        sa.Column("name", _ORDERED, nullable=False),
        _text("key_id"),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("owner", "name", name="pk_secrets"),
    )
    op.create_table(
        "api_keys",
        _text("id"),
        _text("name"),
        _text("workspace"),
        _number("role"),
        _text("digest"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _ORDERED, nullable=False),
        _text("project"),
        _text("spec"),
        _text("search_text"),
        sa.Column("status", _CODE, nullable=False),
        sa.Column("phase", _CODE, nullable=False),
        _time("phase_since"),
        sa.Column("reason", _CODE),
        _text("reason_detail", null=True),
        sa.Column("exit_code", sa.BigInteger()),
        _text("commit", null=True),
        _number("attempt"),
        _text("timings"),
        _text("waiting_for", null=True),
        _text("warnings"),
        _text("verdict", null=True),
        _text("secret_names"),
        _text("cluster"),
        _text("ray", null=True),
        _text("trigger"),
        _text("task", null=True),
        _text("rerun_of", null=True),
        _text("created_by"),
        _time("created_at"),
        _time("started_at", null=True),
        _time("completed_at", null=True),
        _time("cancel_requested_at", null=True),
        _text("usage", null=True),
        _time("due_at", null=True),
        _text("claim_token", null=True),
        _time("claim_expires_at", null=True),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_runs_project", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )


def _index_runs() -> None:
    op.create_index("ix_runs_project_id", "runs", ["project", "id"])
    op.create_index("ix_runs_project_status_id", "runs", ["project", "status", "id"])
    op.create_index("ix_runs_project_trigger_id", "runs", ["project", "trigger", "id"])
    live = {
        "ix_runs_live_due": ["due_at", "id"],
        "ix_runs_live_phase": ["phase", "id"],
        "ix_runs_live_cluster": ["cluster", "phase", "id"],
    }
    for name, columns in live.items():
        op.create_index(name, "runs", columns, sqlite_where=_LIVE, postgresql_where=_LIVE)


def _make_what_hangs_on_runs() -> None:
    op.create_table(
        "run_labels", *_of_run("run_labels", "key"), _text("key"), _text("value"), _text("project")
    )
    op.create_index(
        "ix_run_labels_project_key_value_run_id", "run_labels", ["project", "key", "value", "run_id"]
    )
    op.create_table(
        "attempts",
        *_of_run("attempts", "number"),
        _number("number"),
        sa.Column("status", _CODE, nullable=False),
        sa.Column("reason", _CODE),
        sa.Column("exit_code", sa.BigInteger()),
        _text("submission_id"),
        _text("ray_job_id", null=True),
        _text("ray_session", null=True),
        _time("started_at", null=True),
        _time("ended_at", null=True),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
    )
    op.create_table("run_events", *_of_run("run_events", "seq"), _number("seq"), _text("event"))


def _make_reports() -> None:
    op.create_table(
        "reports",
        *_of_run("reports", "attempt"),
        _number("attempt"),
        _text("started", null=True),
        _text("finished", null=True),
    )
    op.create_table(
        "results",
        *_of_run("results", "attempt"),
        _number("attempt"),
        _text("result"),
    )


def _make_counts() -> None:
    op.create_table(
        "problems",
        *_of_run("problems", "attempt", "fingerprint"),
        _number("attempt"),
        _text("fingerprint"),
        _text("problem"),
        sa.Column("count", sa.BigInteger(), nullable=False),
        _time("first_seen"),
        _time("last_seen"),
    )
    op.create_table(
        "counters",
        *_of_run("counters", "attempt", "process", "metric", "attributes"),
        _number("attempt"),
        _text("process"),
        sa.Column("metric", _ORDERED, nullable=False),
        sa.Column("attributes", _ORDERED, nullable=False),
        sa.Column("value", _DOUBLE, nullable=False),
    )
