"""What retention works by: sizes and times of results, sources of runs, blobs that are to go.

Annotations are no text here: Alembic loads this file where msgspec could not look up the names in them.
"""

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ORDERED = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)
_BATCH = 1000

_results = sa.table(
    "results",
    sa.column("run_id", sa.String()),
    sa.column("attempt", sa.Integer()),
    sa.column("result", sa.Text()),
    sa.column("size", sa.BigInteger()),
)
_runs = sa.table(
    "runs", sa.column("id", sa.String()), sa.column("project", sa.Text()), sa.column("spec", sa.Text())
)
_sources = sa.table(
    "run_sources",
    sa.column("run_id", sa.String()),
    sa.column("project", sa.Text()),
    sa.column("digest", sa.Text()),
)


class _Result(msgspec.Struct):
    """A result, as far as it is needed."""

    size: int | None = None
    data: bool = False


class _Git(msgspec.Struct):
    bundle: str | None = None
    patch: str | None = None


class _Source(msgspec.Struct):
    git: _Git | None = None


class _Spec(msgspec.Struct):
    source: _Source = msgspec.field(default_factory=_Source)


def upgrade() -> None:
    """Take the step."""
    _make_tables()
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    kept = sa.text("log_removed_at IS NULL AND log_size > 0")
    op.create_index(
        "ix_attempts_log_kept",
        "attempts",
        ["ended_at", "run_id", "number", "log_size"],
        sqlite_where=kept,
        postgresql_where=kept,
    )
    _extend_results()
    _find_sources()


def _make_tables() -> None:
    op.create_table(
        "removals",
        sa.Column("key", _ORDERED, nullable=False),
        sa.Column("noted_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_removals"),
    )
    op.create_table(
        "run_sources",
        sa.Column("run_id", _ORDERED, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_sources_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "digest", name="pk_run_sources"),
    )
    op.create_index("ix_run_sources_project_digest", "run_sources", ["project", "digest"])
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identity"),
    )


def _extend_results() -> None:
    op.add_column("results", sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "results",
        sa.Column("reported_at", _TIME, nullable=False, server_default="1970-01-01 00:00:00.000000+00:00"),
    )
    op.add_column("results", sa.Column("removed_at", _TIME))
    op.execute(
        "UPDATE results SET reported_at = "
        "(SELECT coalesce(completed_at, created_at) FROM runs WHERE runs.id = results.run_id)"
    )
    sized = (
        _results.update()
        .where(_results.c.run_id == sa.bindparam("of_run"), _results.c.attempt == sa.bindparam("of_attempt"))
        .values(size=sa.bindparam("bytes"))
    )
    for ids in _in_batches(sa.select(_results.c.run_id).distinct()):
        rows = op.get_bind().execute(
            sa.select(_results.c.run_id, _results.c.attempt, _results.c.result).where(
                _results.c.run_id.in_(ids)
            )
        )
        sizes = [{"of_run": run, "of_attempt": number, "bytes": _size(text)} for run, number, text in rows]
        op.get_bind().execute(sized, sizes)
    kept = sa.text("removed_at IS NULL")
    op.create_index(
        "ix_results_kept",
        "results",
        ["reported_at", "run_id", "attempt", "size"],
        sqlite_where=kept,
        postgresql_where=kept,
    )


def _size(text: str) -> int:
    result = msgspec.json.decode(text, type=_Result)
    return len(text.encode()) + (result.size or 0 if result.data else 0)


def _find_sources() -> None:
    """Note what the runs that are there brought along."""
    for ids in _in_batches(sa.select(_runs.c.id).where(_runs.c.spec.like('%"blob:%'))):
        rows = op.get_bind().execute(
            sa.select(_runs.c.id, _runs.c.project, _runs.c.spec).where(_runs.c.id.in_(ids))
        )
        found = [
            {"run_id": run_id, "project": project, "digest": digest}
            for run_id, project, spec in rows
            for digest in _digests(spec)
        ]
        if found:
            op.get_bind().execute(_sources.insert(), found)


def _digests(spec: str) -> set[str]:
    git = msgspec.json.decode(spec, type=_Spec).source.git or _Git()
    brought = (git.bundle, git.patch)
    return {one.removeprefix("blob:") for one in brought if one and one.startswith("blob:")}


def _in_batches(ids: sa.Select[str]) -> Iterator[list[str]]:
    """Yield ids, so that no more of their rows are in memory than of a few."""
    found = list(op.get_bind().execute(ids).scalars())
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]
