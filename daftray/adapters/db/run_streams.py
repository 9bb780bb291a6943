"""Streams of run ids: what an index gives newest first without sorting, and what is checked of each.

A statement of ours reads one stream and checks the rest run by run; which stream, is decided here and not by
the database. SQLite knows nothing of the values, and PostgreSQL believes that what is wanted lies spread out
evenly: either reads a million runs for a few old ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from daftray.adapters.db.rows import RunLabelRow, RunRow
from daftray.domain.ids import earliest_id
from daftray.domain.ports import RunQuery

_ID_SLACK = timedelta(minutes=1)
"""How far the time in a run's id may be from its creation time. The id only narrows the search."""

Conditions = list[ColumnElement[bool]]

_run = aliased(RunRow)
"""A run that is looked up, beside those that a stream reads."""


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
    """What one index gives: the runs that one filter of a query lets through; ``rest`` is without it."""

    run_id: ColumnElement[str]
    chosen: tuple[ColumnElement[bool], ...]
    rest: RunQuery


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
    found = [_of_label(query, key) for key in sorted(query.labels)]
    if query.status is not None:
        found.append(_of_runs(query, RunRow.status == query.status, rest=replace(query, status=None)))
    if query.trigger is not None:
        found.append(_of_runs(query, RunRow.trigger == query.trigger, rest=replace(query, trigger=None)))
    if query.task is not None:
        found.append(_of_runs(query, RunRow.task == query.task, rest=replace(query, task=None)))
    return found or [_of_runs(query, rest=query)]


def _of_label(query: RunQuery, key: str) -> Stream:
    label = (
        RunLabelRow.project == query.project,
        RunLabelRow.key == key,
        RunLabelRow.value == query.labels[key],
    )
    others = {name: value for name, value in query.labels.items() if name != key}
    run_id = RunLabelRow.run_id.expression
    return Stream(run_id=run_id, chosen=label, rest=replace(query, labels=others))


def _of_runs(query: RunQuery, *chosen: ColumnElement[bool], rest: RunQuery) -> Stream:
    of_project = RunRow.project == query.project
    return Stream(run_id=RunRow.id.expression, chosen=(of_project, *chosen), rest=rest)


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


def matching(stream: Stream, span: Span, *, text: str | None) -> Conditions:
    """Return what makes the ids of a stream those of a query's runs, which hold a case-folded text."""
    return [
        *stream.chosen,
        *span.holds(stream.run_id),
        *looked_up(stream.rest, stream.run_id, text=text),
    ]


def looked_up(query: RunQuery, run_id: ColumnElement[str], *, text: str | None) -> Conditions:
    """Return what is checked of a run in its own row and labels."""
    conditions: Conditions = []
    if of_row := _of_row(query, text):
        conditions.append(_exists(select(literal(1)).where(_run.id == run_id, *of_row)))
    for key, value in sorted(query.labels.items()):
        label = aliased(RunLabelRow)
        has_it = (label.run_id == run_id, label.key == key, label.value == value)
        conditions.append(_exists(select(literal(1)).where(*has_it)))
    return conditions


def _of_row(query: RunQuery, text: str | None) -> Conditions:
    conditions: Conditions = []
    if query.status is not None:
        conditions.append(_run.status == query.status)
    if query.trigger is not None:
        conditions.append(_run.trigger == query.trigger)
    if query.task is not None:
        conditions.append(_run.task == query.task)
    if query.created_after is not None:
        conditions.append(_run.created_at > query.created_after)
    if query.created_before is not None:
        conditions.append(_run.created_at < query.created_before)
    if text:
        holds = (column.contains(text, autoescape=True) for column in (_run.search_text, _run.commit))
        conditions.append(or_(*holds))
    return conditions


def _exists(statement: Select[int]) -> ColumnElement[bool]:
    # With an offset no database makes a join of it, whose order it would choose itself.
    return statement.offset(0).exists()


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:  # the first or last minute of the calendar
        return at
