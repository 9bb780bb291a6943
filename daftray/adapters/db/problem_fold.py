"""Problems coming in: cumulative reports, whatever their order and however often they come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.dialect import insert
from daftray.adapters.db.problem_rows import ProblemCountRow, ProblemGroupRow, ProblemSampleRow
from daftray.domain.problem import MOST_PROBLEMS, MOST_SAMPLES, ProblemReport, ProblemSample, within_bound

_Values = dict[str, Any]  # Any: column values
_Place = tuple[datetime, str]
"""Where a sample stands among those of its problem: its time, and its digest."""


async def fold(session: AsyncSession, run_id: str, attempt: int, reports: Sequence[ProblemReport]) -> None:
    """Write what the reports say beyond what is there. The run has been looked for."""
    of = {"run_id": run_id, "attempt": attempt}
    groups = (ProblemGroupRow.run_id == run_id, ProblemGroupRow.attempt == attempt)
    known = await session.scalars(select(ProblemGroupRow.fingerprint).where(*groups).limit(MOST_PROBLEMS + 1))
    bounded = within_bound(_latest(reports), known)
    await _fold_counts(session, of, bounded)
    await _fold_groups(session, of, bounded)
    await _fold_samples(session, of, bounded)


def _latest(reports: Sequence[ProblemReport]) -> list[ProblemReport]:
    """Return one report per process and key: PostgreSQL refuses to change a row twice in one statement."""
    latest: dict[tuple[str, str], ProblemReport] = {}
    for report in reports:
        name = (report.process, report.key)
        known = latest.get(name)
        if known is None:
            latest[name] = report
        else:
            later = max(known, report, key=lambda one: one.count)
            latest[name] = replace(later, samples=(*known.samples, *report.samples))
    return [latest[name] for name in sorted(latest)]


async def _fold_counts(session: AsyncSession, of: _Values, reports: Sequence[ProblemReport]) -> None:
    rows = [
        {
            **of,
            "process": report.process,
            "key": report.key,
            "fingerprint": report.fingerprint,
            "handled": report.handled,
            "count": report.count,
            "first_seen": report.first_seen,
            "last_seen": report.last_seen,
        }
        for report in reports
    ]
    statement = insert(session, ProblemCountRow)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "attempt", "process", "key"],
            set_={"count": new["count"], "handled": new["handled"], "last_seen": new["last_seen"]},
            where=ProblemCountRow.count < new["count"],
        ),
        rows,
    )


async def _fold_groups(session: AsyncSession, of: _Values, reports: Sequence[ProblemReport]) -> None:
    earliest: dict[str, ProblemReport] = {}
    for report in sorted(reports, key=lambda one: (one.first_seen, _origin(one)), reverse=True):
        earliest[report.fingerprint] = report
    rows = [
        {
            **of,
            "fingerprint": fingerprint,
            "problem": report.problem(of["attempt"]),
            "stacktrace": report.stacktrace,
            "first_seen": report.first_seen,
            "origin": _origin(report),
        }
        for fingerprint, report in sorted(earliest.items())
    ]
    statement = insert(session, ProblemGroupRow)
    new, old = statement.excluded, ProblemGroupRow
    same_moment = and_(new["first_seen"] == old.first_seen, new["origin"] < old.origin)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "attempt", "fingerprint"],
            set_={name: new[name] for name in ("problem", "stacktrace", "first_seen", "origin")},
            where=or_(new["first_seen"] < old.first_seen, same_moment),
        ),
        rows,
    )


def _origin(report: ProblemReport) -> str:
    return f"{report.process}/{report.key}"


async def _fold_samples(session: AsyncSession, of: _Values, reports: Sequence[ProblemReport]) -> None:
    """Keep the earliest samples. What cannot be among them is not written: it would come again and again."""
    brought: dict[str, dict[_Place, ProblemSample]] = {}
    for report in reports:
        for sample in report.samples:
            digest = _digest(report, sample)
            brought.setdefault(report.fingerprint, {})[sample.at, digest] = sample
    if not brought:
        return
    known = await _known_places(session, of, sorted(brought))
    rows: list[_Values] = []
    for fingerprint, samples in sorted(brought.items()):
        there = known.get(fingerprint, set())
        first = sorted(there | samples.keys())[:MOST_SAMPLES]
        rows += [
            {**of, "fingerprint": fingerprint, "at": at, "digest": digest, "sample": samples[at, digest]}
            for at, digest in first
            if (at, digest) not in there
        ]
        await _drop(session, of, fingerprint, sorted(there - set(first)))
    if rows:
        await session.execute(insert(session, ProblemSampleRow).on_conflict_do_nothing(), rows)


async def _known_places(
    session: AsyncSession, of: _Values, fingerprints: Sequence[str]
) -> dict[str, set[_Place]]:
    row, known = ProblemSampleRow, dict[str, set[_Place]]()
    for fingerprint in fingerprints:
        found = await session.execute(select(row.at, row.digest).filter_by(**of, fingerprint=fingerprint))
        known[fingerprint] = {(at, digest) for at, digest in found}
    return known


async def _drop(session: AsyncSession, of: _Values, fingerprint: str, places: Sequence[_Place]) -> None:
    for at, digest in places:
        await session.execute(
            delete(ProblemSampleRow).filter_by(**of, fingerprint=fingerprint, at=at, digest=digest)
        )


def _digest(report: ProblemReport, sample: ProblemSample) -> str:
    text = msgspec.json.encode([report.process, report.key, sample.message])
    return hashlib.sha256(text).hexdigest()[:16]
