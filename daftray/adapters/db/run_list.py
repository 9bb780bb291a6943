"""Which runs a list shows: newest first, by every filter, in a time that a million runs do not lengthen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import run_search
from daftray.adapters.db.run_streams import Span, Stream, matching, smallest, span_of, streams_of
from daftray.domain.ports import RunQuery

_LONGEST_TEXT = 4096
"""SQLite refuses LIKE patterns above 50,000 bytes; nothing that is searched holds a text this long."""
_LOOK = 2_000
"""How many of a filter's runs are counted, and looked through before the index of texts is asked."""
_LOOK_FOR_SHORT = 10_000
"""How many are looked through for a text that is too short for that index."""


_TASKS_AT_ONCE = 100
"""Tasks that one statement asks for: SQLite puts at most 500 selects together."""


async def page(session: AsyncSession, query: RunQuery) -> list[str]:
    """Return the ids of a page of runs, newest first."""
    text = query.text.casefold() if query.text else None
    if text and len(text) > _LONGEST_TEXT:
        return []
    streams, span = streams_of(query), span_of(query)
    if text is None and len(streams) == 1:
        return await _read(session, streams[0], span, limit=query.limit, offset=query.offset)
    return await _look(session, query, streams, span, text)


async def latest_of_tasks(
    session: AsyncSession, project: str, tasks: Sequence[str], *, each: int
) -> dict[str, list[str]]:
    """Return the ids of the newest runs of each task, newest first; one statement asks for many tasks."""
    found: dict[str, list[str]] = {task: [] for task in tasks}
    for some in _batches(tasks):
        newest = [_newest(project, task, each) for task in some]
        rows = await session.execute(union_all(*newest) if len(newest) > 1 else newest[0])
        for task, run_id in rows:
            found[task].append(run_id)
    return {task: sorted(ids, reverse=True) for task, ids in found.items()}


def _batches(tasks: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(tasks), _TASKS_AT_ONCE):
        yield tasks[start : start + _TASKS_AT_ONCE]


def _newest(project: str, task: str, count: int) -> Select[str, str]:
    stream = streams_of(RunQuery(project=project, task=task))[0]
    newest = select(stream.run_id.label("id")).where(*stream.chosen).order_by(stream.run_id.desc())
    some = newest.limit(count).subquery()
    return select(literal(task).label("task"), some.c.id)


async def _look(
    session: AsyncSession, query: RunQuery, streams: list[Stream], span: Span, text: str | None
) -> list[str]:
    """Look through the newest runs of the rarest filter; where they are not enough, ask the index of texts.

    The first is quick where what is looked for is frequent, the second where it is rare.
    """
    short = text is not None and not run_search.can_find(text)
    look = _LOOK_FOR_SHORT if short else _LOOK
    stream, size = await smallest(session, streams, span, most=look)
    wanted = query.offset + query.limit
    counted = Span(since=size.oldest or span.since, before=span.before)
    found = await _read(session, stream, counted, text=text, limit=wanted)
    if len(found) < wanted and size.counted == look and not short:
        older = Span(since=span.since, before=size.oldest)
        found += await run_search.find(session, query, older, text, limit=wanted - len(found))
    return found[query.offset :]


async def _read(
    session: AsyncSession, stream: Stream, span: Span, *, text: str | None = None, limit: int, offset: int = 0
) -> list[str]:
    found = await session.scalars(
        select(stream.run_id)
        .where(*matching(stream, span, text=text))
        .order_by(stream.run_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return list(found)
