"""The index of all runs' texts and facts, which the database keeps itself (migration 0004).

What it finds by trigrams is looked at once more: they may stand in a text in another order.
"""

from __future__ import annotations

from functools import cache
from math import ceil

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    Text,
    cast,
    collate,
    column,
    func,
    select,
    table,
    true,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import run_facts
from daftray.adapters.db.columns import ORDERED_TEXT
from daftray.adapters.db.rows import RunRow
from daftray.adapters.db.run_streams import Conditions, Span, looked_up
from daftray.domain.ids import earliest_id_of, millisecond_of
from daftray.domain.ports import RunQuery

_GRAM = 3
_MOST_GRAMS = 10
"""More of a text's trigrams would hardly tell more, and each costs a look."""
_MOST_JOINTS = 4
_TIE_BITS = 20
"""SQLite: the bits of a number that tell runs of one millisecond apart."""
_END_OF_NUMBERS = 1 << 43
"""SQLite: no number holds a later millisecond (of the year 2248)."""
_HOURS_BITS = 25
"""PostgreSQL: the bits of a millisecond that are left out where an id tells the nine hours of a run."""

_PLAN_FOR_THE_VALUES = sql("SET LOCAL plan_cache_mode = force_custom_plan")

_texts = table(
    "run_texts",
    column("number"),
    column("run_id", ORDERED_TEXT),
    column("project", String()),
    column("text", String()),
    column("facts", String()),
)
_search = table("run_search", column("rowid"), column("run_search"))


def can_find(text: str) -> bool:
    """Tell whether a text is long enough to have a trigram."""
    return len(text) >= _GRAM


async def find(
    session: AsyncSession, query: RunQuery, span: Span, text: str | None, *, limit: int
) -> list[str]:
    """Return the newest ids of a span's runs that fit a query and, if there is a text, hold it."""
    if session.get_bind().dialect.name == "sqlite":
        return await _find_in_sqlite(session, query, span, text, limit)
    return await _find_in_postgres(session, query, span, text, limit)


def _grams(query: RunQuery, text: str | None) -> list[str]:
    """Return what the index is asked for: the facts' trigrams, and some of the text's."""
    facts = run_facts.of_query(query)
    return facts if text is None else [*facts, *grams_of(text)]


def grams_of(text: str) -> list[str]:
    """Return trigrams of a text, most side by side, but those that lead from one word to the next rather.

    Two words may be in many texts each, and where the one ends the other begins in few.
    """
    last = len(text) - _GRAM
    between = [start for start in range(last + 1) if _joins_words(text[start : start + _GRAM])]
    between = between[:: ceil(len(between) / _MOST_JOINTS) or 1]
    near = {beside for start in between for beside in (start - 1, start, start + 1)}
    starts = [start for start in range(0, last, _GRAM) if start == 0 or start not in near]
    starts = sorted({*starts, last} - set(between))
    some = starts[:: ceil(len(starts) / (_MOST_GRAMS - len(between))) or 1]
    return [text[start : start + _GRAM] for start in sorted([*between, *some])]


def _joins_words(gram: str) -> bool:
    return gram[0].isalnum() and not gram[1].isalnum() and gram[2].isalnum()


def _fits(query: RunQuery, span: Span, text: str | None) -> Conditions:
    """Return what has still to hold of what the index finds."""
    run_id: ColumnElement[str] = _texts.c.run_id
    holds = [] if text is None else [_texts.c.text.contains(text, autoescape=True)]
    of_project = _texts.c.project == query.project
    return [of_project, *holds, *span.holds(run_id), *looked_up(query, run_id, text=None)]


async def _find_in_sqlite(
    session: AsyncSession, query: RunQuery, span: Span, text: str | None, limit: int
) -> list[str]:
    """Read the index in the order of numbers, which is that of ids but for runs of one millisecond."""
    found = select(_texts.c.number, _texts.c.run_id).join(_search, _search.c.rowid == _texts.c.number)
    found = found.where(
        _search.c.run_search.op("MATCH")(_expression(query, text)),
        *_numbers(span),
        *_fits(query, span, text),
    )
    newest = await session.execute(found.order_by(_search.c.rowid.desc()).limit(limit))
    rows = list(newest.all())
    if len(rows) == limit:
        last = rows[-1][0]
        same_millisecond = _search.c.rowid.between(last >> _TIE_BITS << _TIE_BITS, last - 1)
        rows += (await session.execute(found.where(same_millisecond))).all()
    return sorted((run_id for _, run_id in rows), reverse=True)[:limit]


def _expression(query: RunQuery, text: str | None) -> str:
    """Return what SQLite's index is asked for: all of these trigrams. It knows no text beyond a NUL."""
    grams = dict.fromkeys(_grams(query, text))
    return " ".join('"' + gram.replace('"', '""') + '"' for gram in grams if "\0" not in gram)


def _numbers(span: Span) -> Conditions:
    """Return the bounds of a span's numbers, where its ends are ids of ours."""
    since = millisecond_of("run", span.since or "")
    before = millisecond_of("run", span.before or "")
    conditions: Conditions = []
    if since is not None and since < _END_OF_NUMBERS:
        conditions.append(_search.c.rowid >= since << _TIE_BITS)
    if before is not None and before < _END_OF_NUMBERS:
        conditions.append(_search.c.rowid < before + 1 << _TIE_BITS)
    return conditions


async def _find_in_postgres(
    session: AsyncSession, query: RunQuery, span: Span, text: str | None, limit: int
) -> list[str]:
    """Ask for each nine hours, the newest first, until there are enough."""
    ends = select(func.max(RunRow.id), func.min(RunRow.id)).where(
        RunRow.project == query.project, *span.holds(RunRow.id.expression)
    )
    newest, oldest = (millisecond_of("run", end or "") for end in (await session.execute(ends)).one())
    if newest is None or oldest is None:
        return []
    begins = collate(func.unnest(cast(_hours(newest, oldest), ARRAY(Text))), "C")
    # Sorted here, so that PostgreSQL need not have them all before it gives the newest.
    hours = select(begins.label("begin")).order_by(begins.desc()).subquery("hours")
    found = _in_hours(hours, query, span, text).limit(limit).lateral("found")
    page = select(found.c.run_id).select_from(hours.join(found, true()))
    newest_first = page.order_by(hours.c.begin.desc(), found.c.run_id.desc())
    # A plan for any values would not know how few are wanted, and sort all before it gives the first.
    await session.execute(_PLAN_FOR_THE_VALUES)
    return list(await session.scalars(newest_first.limit(limit)))


def _in_hours(hours: Subquery, query: RunQuery, span: Span, text: str | None) -> Select[str]:
    """Return the statement for what is found of nine hours, the newest first."""
    grams = cast(_grams(query, text), ARRAY(Text))
    each = func.unnest(grams).table_valued("gram").render_derived(name="each")
    asked = select(hours.c.begin.concat(each.c.gram)).select_from(each).correlate(hours)
    indexed = func.run_grams(_texts.c.run_id, _texts.c.text.concat(_texts.c.facts))
    # Sorted by what is in no index: to read another one in order looks cheap, and may find nothing for long.
    newest_first = func.concat(_texts.c.run_id, "").desc()
    return (
        select(_texts.c.run_id)
        .where(indexed.op("@>")(func.array(asked.scalar_subquery())), *_fits(query, span, text))
        .order_by(newest_first)
        .correlate(hours)
    )


def _hours(newest: int, oldest: int) -> list[str]:
    """Return what the ids of each nine hours begin with, from one millisecond back to another."""
    first, pairs = _pairs()
    numbers = range(newest >> _HOURS_BITS, (oldest >> _HOURS_BITS) - 1, -1)
    return [first + pairs[number >> 10] + pairs[number & 1023] for number in numbers]


@cache
def _pairs() -> tuple[str, list[str]]:
    """Return how ids begin, and how ten bits of them are spelled."""
    ids = [earliest_id_of("run", number << _HOURS_BITS) for number in range(1024)]
    return ids[0][:5], [id_[7:9] for id_ in ids]
