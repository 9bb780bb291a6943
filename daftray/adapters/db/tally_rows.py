"""The tables of what is counted when a run ends. Few rows, however many runs there were."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.rows import Row
from daftray.domain.status import RunPhase, RunStatus


def _project() -> Mapped[str]:
    return mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)


class EndedRunsRow(Row):
    """How many runs of a project ended alike. ``reason`` is empty where there is none."""

    __tablename__ = "ended_runs"

    project: Mapped[str] = _project()
    status: Mapped[RunStatus] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class EndedUsageRow(Row):
    """What the ended runs of a project have used, as far as it is known."""

    __tablename__ = "ended_usage"

    project: Mapped[str] = _project()
    requests: Mapped[float]
    tokens_in: Mapped[float]
    tokens_out: Mapped[float]
    cpu_seconds: Mapped[float]
    cost: Mapped[float]


class EndedPhasesRow(Row):
    """How many ended runs were in a phase for about so long (``daftray/domain/tally.py``), and the sum."""

    __tablename__ = "ended_phases"

    phase: Mapped[RunPhase] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
