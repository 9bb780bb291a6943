"""Which runs a list shows: newest first, by every filter, in a time that a million runs do not lengthen."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db import run_search
from daftray.adapters.db.run_streams import Size, Span, Stream, matching, smallest, span_of, streams_of
from daftray.domain.ports import RunQuery

_LONGEST_TEXT = 4096
"""SQLite refuses LIKE patterns above 50,000 bytes; nothing that is searched holds a text this long."""
_LOOK = 4_000
"""How many of a filter's runs are counted, and looked through for a text before the index of texts is."""
_LOOK_AT_ALL = 500
"""The same where the project's runs are not filtered otherwise."""
_LOOK_FOR_SHORT = 10_000
"""How many runs are looked through for a text that is too short for the index of texts."""


async def page(session: AsyncSession, query: RunQuery) -> list[str]:
    """Return the ids of a page of runs, newest first."""
    text = query.text.casefold() if query.text else None
    if text and len(text) > _LONGEST_TEXT:
        return []
    streams, span = streams_of(query), span_of(query)
    if text:
        return await _page_with_text(session, query, streams, span, text)
    stream = streams[0]
    if len(streams) > 1:
        stream, _ = await smallest(session, streams, span, most=_LOOK)
    return await _read(session, stream, query, span)


async def _page_with_text(
    session: AsyncSession, query: RunQuery, streams: list[Stream], span: Span, text: str
) -> list[str]:
    """Look through the newest runs that fit otherwise; only then it is known whether the text is rare."""
    short = not run_search.can_find(text)
    look = _LOOK_FOR_SHORT if short else _LOOK_AT_ALL if streams[0].everything else _LOOK
    stream, size = await smallest(session, streams, span, most=look)
    wanted = query.offset + query.limit
    newest = replace(query, offset=0, limit=wanted)
    found = await _read(session, stream, newest, _newest(span, size), text=text)
    if len(found) < wanted and size.counted == look and not short:
        rest = Span(since=span.since, before=size.oldest)
        found += await run_search.find(session, query, rest, text, limit=wanted - len(found))
    return found[query.offset :]


def _newest(span: Span, size: Size) -> Span:
    """Return the part of a span that was counted."""
    return Span(since=size.oldest or span.since, before=span.before)


async def _read(
    session: AsyncSession, stream: Stream, query: RunQuery, span: Span, *, text: str | None = None
) -> list[str]:
    found = await session.scalars(
        select(stream.run_id)
        .where(*matching(stream, query, span, text=text))
        .order_by(stream.run_id.desc())
        .limit(query.limit)
        .offset(query.offset)
    )
    return list(found)
