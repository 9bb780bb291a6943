"""Which runs a list shows: newest first, by every filter, in a time that a million runs do not lengthen."""

from __future__ import annotations

from sqlalchemy import select
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


async def page(session: AsyncSession, query: RunQuery) -> list[str]:
    """Return the ids of a page of runs, newest first."""
    text = query.text.casefold() if query.text else None
    if text and len(text) > _LONGEST_TEXT:
        return []
    streams, span = streams_of(query), span_of(query)
    if text is None and len(streams) == 1:
        return await _read(session, streams[0], span, limit=query.limit, offset=query.offset)
    return await _look(session, query, streams, span, text)


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
