"""The tables of runs' exceptions. Each key is such that a report that comes twice lands on itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT, StructJson
from daftray.adapters.db.rows import Row
from daftray.domain.problem import Problem, ProblemSample


def _run_id() -> Mapped[str]:
    return mapped_column(ORDERED_TEXT, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def _attempt() -> Mapped[int]:
    return mapped_column(primary_key=True, autoincrement=False)


class ProblemGroupRow(Row):
    """What equal exceptions of an attempt are, in the words of the earliest. ``origin`` saw that."""

    __tablename__ = "problem_groups"

    run_id: Mapped[str] = _run_id()
    attempt: Mapped[int] = _attempt()
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    problem: Mapped[Problem] = mapped_column(StructJson(Problem))
    stacktrace: Mapped[str | None] = mapped_column(StructJson(str))
    first_seen: Mapped[datetime]
    origin: Mapped[str] = mapped_column(ORDERED_TEXT)


class ProblemCountRow(Row):
    """The greatest count that a process of an attempt reported under one of its keys."""

    __tablename__ = "problem_counts"

    run_id: Mapped[str] = _run_id()
    attempt: Mapped[int] = _attempt()
    process: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    key: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    fingerprint: Mapped[str]
    handled: Mapped[str]
    count: Mapped[int] = mapped_column(BigInteger)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class ProblemSampleRow(Row):
    """One exception of those that were counted. ``digest`` tells apart those of the same moment."""

    __tablename__ = "problem_samples"

    run_id: Mapped[str] = _run_id()
    attempt: Mapped[int] = _attempt()
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    sample: Mapped[ProblemSample] = mapped_column(StructJson(ProblemSample))
