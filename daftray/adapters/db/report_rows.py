"""The tables of what runs report. Each key is such that a report that comes twice lands on itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT, StructJson
from daftray.adapters.db.rows import Row, partial_index
from daftray.domain.report import FinishedReport, StartedReport
from daftray.domain.result import RunResult
from daftray.domain.series import Series


def _run_id() -> Mapped[str]:
    return mapped_column(ORDERED_TEXT, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def _attempt() -> Mapped[int]:
    return mapped_column(primary_key=True, autoincrement=False)


class ReportRow(Row):
    """The first report of each kind that came of an attempt."""

    __tablename__ = "reports"

    run_id: Mapped[str] = _run_id()
    attempt: Mapped[int] = _attempt()
    started: Mapped[StartedReport | None] = mapped_column(StructJson(StartedReport))
    finished: Mapped[FinishedReport | None] = mapped_column(StructJson(FinishedReport))
    heard_at: Mapped[datetime | None]


class ResultRow(Row):
    """An attempt's result. A JSON value is kept as it came, to the byte."""

    __tablename__ = "results"
    __table_args__ = (
        partial_index("ix_results_kept", "removed_at IS NULL", *("reported_at", "run_id", "attempt", "size")),
    )

    run_id: Mapped[str] = _run_id()
    attempt: Mapped[int] = _attempt()
    result: Mapped[RunResult] = mapped_column(StructJson(RunResult))
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes of it, here and in the blob store."""
    reported_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class SeriesRow(Row):
    """What a run had used at which time."""

    __tablename__ = "series"

    run_id: Mapped[str] = _run_id()
    series: Mapped[Series] = mapped_column(StructJson(Series))


class CounterRow(Row):
    """The greatest value that one process of an attempt reported of a metric.

    ``attributes`` is JSON with sorted keys, so that equal attributes are equal text.
    """

    __tablename__ = "counters"

    run_id: Mapped[str] = _run_id()
    attempt: Mapped[int] = _attempt()
    process: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    attributes: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    value: Mapped[float]
