"""Streams of run ids: what an index gives newest first without sorting, and what is checked of each.

A statement of ours reads one stream and checks the rest run by run; which stream, is decided here and not by
the database. SQLite knows nothing of the values, and PostgreSQL believes that what is wanted lies spread out
evenly: either reads a million runs for a few old ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from daftray.adapters.db.rows import RunLabelRow, RunRow
from daftray.domain.ids import earliest_id
from daftray.domain.ports import RunQuery

_ID_SLACK = timedelta(minutes=1)
"""How far the time in a run's id may be from its creation time. The id only narrows the search."""

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True)
class Span:
    """Ids from one on, before another one; either end may be open."""

    since: str | None = None
    before: str | None = None

    def holds(self, run_id: ColumnElement[str]) -> Conditions:
        """Return the conditions that an id lies within."""
        since = [] if self.since is None else [run_id >= self.since]
        before = [] if self.before is None else [run_id < self.before]
        return since + before


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What one index gives: the runs of the label with that key, or of the runs' own filters."""

    run_id: ColumnElement[str]
    chosen: tuple[ColumnElement[bool], ...]
    label: str | None = None
    everything: bool = False
    """Whether it holds all runs of the project."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much a stream holds, as far as it was counted, and the oldest id of that."""

    counted: int
    oldest: str | None


def span_of(query: RunQuery) -> Span:
    """Return the ids among which a query's runs are, by its cursor and its times."""
    ends = [query.before] if query.before is not None else []
    since = None
    if query.created_after is not None:
        since = earliest_id("run", _moved(query.created_after, -_ID_SLACK))
    if query.created_before is not None:
        ends.append(earliest_id("run", _moved(query.created_before, _ID_SLACK)))
    return Span(since=since, before=min(ends, default=None))


def streams_of(query: RunQuery) -> list[Stream]:
    """Return the streams that hold all of a query's runs, each by one of its filters."""
    found = [
        Stream(
            run_id=RunLabelRow.run_id.expression,
            chosen=(
                RunLabelRow.project == query.project,
                RunLabelRow.key == key,
                RunLabelRow.value == value,
            ),
            label=key,
        )
        for key, value in sorted(query.labels.items())
    ]
    of_runs = [RunRow.project == query.project]
    if query.status is not None:
        of_runs.append(RunRow.status == query.status)
    if query.trigger is not None:
        of_runs.append(RunRow.trigger == query.trigger)
    everything = len(of_runs) == 1
    if not everything or not found:
        run_id = RunRow.id.expression
        found.append(Stream(run_id=run_id, chosen=tuple(of_runs), everything=everything))
    return found


async def smallest(
    session: AsyncSession, streams: Sequence[Stream], span: Span, *, most: int
) -> tuple[Stream, Size]:
    """Return the stream that holds least, looking at the newest ``most`` ids of each.

    Of those that hold more, it is the one whose newest ``most`` reach back furthest.
    """
    counts: list[Select[int, int, str | None]] = []
    for number, stream in enumerate(streams):
        conditions = (*stream.chosen, *span.holds(stream.run_id))
        newest = select(stream.run_id.label("id")).where(*conditions).order_by(stream.run_id.desc())
        some = newest.limit(most).subquery()
        counts.append(select(literal(number).label("number"), func.count(), func.min(some.c.id)))
    found = await session.execute(union_all(*counts) if len(counts) > 1 else counts[0])
    sizes = {number: Size(counted=counted, oldest=oldest) for number, counted, oldest in found}
    least = min(sizes, key=lambda number: (sizes[number].counted, sizes[number].oldest or ""))
    return streams[least], sizes[least]


def matching(stream: Stream, query: RunQuery, span: Span, *, text: str | None) -> Conditions:
    """Return what makes the ids of a stream those of a query's runs."""
    conditions = [*stream.chosen, *span.holds(stream.run_id)]
    if stream.label is None:
        conditions += [*_in_time(query), *([holds_text(text)] if text else [])]
    else:
        conditions += about_run(query, stream.run_id, text=text)
    return conditions + labelled(query, stream.run_id, but=stream.label)


def about_run(query: RunQuery, run_id: ColumnElement[str], *, text: str | None) -> Conditions:
    """Return what is to be looked up in a run's own row, if anything."""
    run = [*_in_time(query), *([holds_text(text)] if text else [])]
    if query.status is not None:
        run.append(RunRow.status == query.status)
    if query.trigger is not None:
        run.append(RunRow.trigger == query.trigger)
    return [_looked_up(select(literal(1)).where(RunRow.id == run_id, *run))] if run else []


def labelled(query: RunQuery, run_id: ColumnElement[str], *, but: str | None = None) -> Conditions:
    """Return the conditions that a run has a query's labels, but for one that is known already."""
    conditions: Conditions = []
    for key, value in sorted(query.labels.items()):
        if key != but:
            label = aliased(RunLabelRow)
            has_it = (label.run_id == run_id, label.key == key, label.value == value)
            conditions.append(_looked_up(select(literal(1)).where(*has_it)))
    return conditions


def holds_text(text: str) -> ColumnElement[bool]:
    """Return the condition that a run's name, entrypoint or commit holds a case-folded text."""
    return or_(
        RunRow.search_text.contains(text, autoescape=True), RunRow.commit.contains(text, autoescape=True)
    )


def _looked_up(statement: Select[int]) -> ColumnElement[bool]:
    # With an offset no database makes a join of it, whose order it would choose itself.
    return statement.offset(0).exists()


def _in_time(query: RunQuery) -> Conditions:
    after = [] if query.created_after is None else [RunRow.created_at > query.created_after]
    before = [] if query.created_before is None else [RunRow.created_at < query.created_before]
    return after + before


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:  # the first or last minute of the calendar
        return at
