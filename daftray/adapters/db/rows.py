"""The tables. A column exists where something searches by it or changes it alone; the rest is JSON.

Migrations make these tables (``migrations/versions``); a test compares the two.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from daftray.adapters.db.columns import ORDERED_TEXT, StructJson, UtcDateTime, code_of
from daftray.domain.metrics import UsageSummary
from daftray.domain.project import ProjectSource
from daftray.domain.run import RayJob, RunEvent, Verdict
from daftray.domain.spec import RunSpec
from daftray.domain.status import FailureReason, RunPhase, RunStatus


class Row(DeclarativeBase):
    """What every table shares: how its constraints are named, and how Python types become columns."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        str: Text(),
        datetime: UtcDateTime(),
        RunStatus: code_of(RunStatus),
        RunPhase: code_of(RunPhase),
        FailureReason: code_of(FailureReason),
    }


class ProjectRow(Row):
    """A project. Its runs go with it."""

    __tablename__ = "projects"
    __table_args__ = (Index(None, "workspace", "name", unique=True),)

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace: Mapped[str]
    name: Mapped[str] = mapped_column(ORDERED_TEXT)
    source: Mapped[ProjectSource] = mapped_column(StructJson(ProjectSource))
    max_running: Mapped[int | None]
    created_at: Mapped[datetime]


def partial_index(name: str, where: str, *columns: str) -> Index:
    """Return an index of the rows that matter to somebody."""
    condition = text(where)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def _live_index(name: str, *columns: str) -> Index:
    """Return an index of the runs that have not ended: few, however many have."""
    return partial_index(name, "due_at IS NOT NULL", *columns)


class RunRow(Row):
    """A run. ``spec`` is what was asked, the columns after it what became of it.

    ``due_at`` is when the reconciler has to look at the run, and NULL once the run has ended.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index(None, "project", "id"),
        Index(None, "project", "status", "id"),
        Index(None, "project", "trigger", "id"),
        partial_index("ix_runs_of_tasks", "task IS NOT NULL", "project", "task", "id"),
        _live_index("ix_runs_live_due", "due_at", "id"),
        _live_index("ix_runs_live_phase", "phase", "id"),
        _live_index("ix_runs_live_cluster", "cluster", "phase", "id"),
    )

    id: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    spec: Mapped[RunSpec] = mapped_column(StructJson(RunSpec))
    search_text: Mapped[str]
    """Name and entrypoint, case-folded."""
    search_facts: Mapped[str]
    """Project, trigger, task and labels as codes (`run_facts.py`), for the index that the database keeps."""
    priority: Mapped[int]
    """The spec's, for the order of the queue."""
    status: Mapped[RunStatus]
    phase: Mapped[RunPhase]
    phase_since: Mapped[datetime]
    reason: Mapped[FailureReason | None]
    reason_detail: Mapped[str | None] = mapped_column(StructJson(str))
    exit_code: Mapped[int | None] = mapped_column(BigInteger)
    commit: Mapped[str | None]
    attempt: Mapped[int]
    timings: Mapped[dict[str, float]] = mapped_column(StructJson(dict[str, float]))
    waiting_for: Mapped[str | None] = mapped_column(StructJson(str))
    not_before: Mapped[datetime | None]
    cluster_silent_since: Mapped[datetime | None]
    warnings: Mapped[tuple[str, ...]] = mapped_column(StructJson(tuple[str, ...]))
    verdict: Mapped[Verdict | None] = mapped_column(StructJson(Verdict))
    secret_names: Mapped[tuple[str, ...]] = mapped_column(StructJson(tuple[str, ...]))
    cluster: Mapped[str]
    ray: Mapped[RayJob | None] = mapped_column(StructJson(RayJob))
    trigger: Mapped[str]
    task: Mapped[str | None]
    rerun_of: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    usage: Mapped[UsageSummary | None] = mapped_column(StructJson(UsageSummary))
    due_at: Mapped[datetime | None]
    claim_token: Mapped[str | None]
    claim_expires_at: Mapped[datetime | None]

    attempts: Mapped[list[AttemptRow]] = relationship(
        lazy="selectin", order_by="AttemptRow.number", viewonly=True
    )


class RunLabelRow(Row):
    """A label of a run. The project is repeated here so that one index finds a project's runs by label."""

    __tablename__ = "run_labels"
    __table_args__ = (Index(None, "project", "key", "value", "run_id"),)

    run_id: Mapped[str] = mapped_column(
        ORDERED_TEXT, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    project: Mapped[str]


class AttemptRow(Row):
    """One try at a run."""

    __tablename__ = "attempts"
    __table_args__ = (
        partial_index(
            "ix_attempts_log_kept",
            "log_removed_at IS NULL AND log_size > 0",
            *("ended_at", "run_id", "number", "log_size"),
        ),
    )

    run_id: Mapped[str] = mapped_column(
        ORDERED_TEXT, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[RunStatus]
    reason: Mapped[FailureReason | None]
    reason_detail: Mapped[str | None] = mapped_column(StructJson(str))
    exit_code: Mapped[int | None] = mapped_column(BigInteger)
    submission_id: Mapped[str]
    ray_job_id: Mapped[str | None]
    ray_session: Mapped[str | None]
    prepared_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_lines: Mapped[tuple[str, ...]] = mapped_column(StructJson(tuple[str, ...]))
    log_size: Mapped[int] = mapped_column(BigInteger)
    log_removed_at: Mapped[datetime | None]


class RunEventRow(Row):
    """One advance of a run, numbered from 1."""

    __tablename__ = "run_events"

    run_id: Mapped[str] = mapped_column(
        ORDERED_TEXT, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event: Mapped[RunEvent] = mapped_column(StructJson(RunEvent))


class SecretRow(Row):
    """A sealed secret of a project or of a run, as ``owner`` says."""

    __tablename__ = "secrets"

    owner: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    key_id: Mapped[str]
    ciphertext: Mapped[bytes]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
