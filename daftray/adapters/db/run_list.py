"""Which runs a list shows: a `RunQuery` as SQL that follows an index, newest first."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlalchemy.orm import aliased

from daftray.adapters.db.rows import RunLabelRow, RunRow
from daftray.domain.ids import earliest_id
from daftray.domain.ports import RunQuery

_ID_SLACK = timedelta(minutes=1)
"""How far the time in a run's id may be from its creation time. The id only narrows the search."""
_LONGEST_TEXT = 4096
"""SQLite refuses LIKE patterns above 50,000 bytes; nothing that is searched holds a text this long."""


def listing(query: RunQuery) -> Select[RunRow]:
    """Return the statement for a page of runs."""
    found = select(RunRow)
    first, *more = sorted(query.labels.items()) or [None]
    run_id = RunRow.id.expression
    if first:
        # The index of labels has a project's runs of one label in order: as good a start as the runs' own.
        found = found.join(RunLabelRow, RunLabelRow.run_id == RunRow.id).where(
            RunLabelRow.project == query.project, RunLabelRow.key == first[0], RunLabelRow.value == first[1]
        )
        run_id = RunLabelRow.run_id.expression
    conditions = [
        *_conditions(query),
        *_in_time(query, run_id),
        *(_has_label(*label) for label in more if label),
    ]
    if query.before is not None:
        conditions.append(run_id < query.before)
    return found.where(*conditions).order_by(run_id.desc()).limit(query.limit).offset(query.offset)


def _conditions(query: RunQuery) -> list[ColumnElement[bool]]:
    conditions = [RunRow.project == query.project]
    if query.status is not None:
        conditions.append(RunRow.status == query.status)
    if query.trigger is not None:
        conditions.append(RunRow.trigger == query.trigger)
    if query.text:
        conditions.append(_holds(query.text.casefold()))
    return conditions


def _holds(text: str) -> ColumnElement[bool]:
    if len(text) > _LONGEST_TEXT:
        return false()
    return or_(
        RunRow.search_text.contains(text, autoescape=True), RunRow.commit.contains(text, autoescape=True)
    )


def _in_time(query: RunQuery, run_id: ColumnElement[str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.created_after is not None:
        earliest = earliest_id("run", _moved(query.created_after, -_ID_SLACK))
        conditions.append(and_(RunRow.created_at > query.created_after, run_id >= earliest))
    if query.created_before is not None:
        latest = earliest_id("run", _moved(query.created_before, _ID_SLACK))
        conditions.append(and_(RunRow.created_at < query.created_before, run_id < latest))
    return conditions


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:  # the first or last minute of the calendar
        return at


def _has_label(key: str, value: str) -> ColumnElement[bool]:
    label = aliased(RunLabelRow)
    return exists().where(label.run_id == RunRow.id, label.key == key, label.value == value)
