"""A run's log in a browser: the page, and what its modules ask for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter, SkipValidation
from litestar.response import Stream

from daftray.api.auth import AnyRequest, viewer
from daftray.api.logs import KEEP_ALIVE, STREAM_HEADERS, encode_end
from daftray.domain.errors import InputIssue, InvalidInputError, LogRemovedError
from daftray.logs import search
from daftray.logs.archive import LogArchive
from daftray.logs.finding import holding, of_process
from daftray.logs.follow import LogEnd, LogFollower, LogPiece
from daftray.logs.index import index_of
from daftray.logs.selection import select
from daftray.web.attempts import attempt_of
from daftray.web.headers import PAGE_HEADERS
from daftray.web.pages import Pages
from daftray.web.places import PROJECT
from daftray.web.run_shown import OF_A_RUN, RunShown

_LAST_LINES = 500
"""Of the log, for whoever has no scripts, and for everybody until the rest is there."""

TextParameter = Annotated[str, QueryParameter(name="q", max_length=1000)]
ProcessParameter = Annotated[str, QueryParameter(name="process", max_length=1000)]
FromParameter = Annotated[int, QueryParameter(name="from", ge=0, le=2**53)]
LastEventId = Annotated[str | None, HeaderParameter(name="last-event-id", pattern=r"^[0-9]{1,18}$")]


@get("/", guards=[viewer], include_in_schema=False)
async def show_logs(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    archive: NamedDependency[SkipValidation[LogArchive]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the end of the log; a module takes over from there."""
    run = shown.run
    attempt = attempt_of(request) or run.attempt
    lines, gone = "", None
    try:
        _, size = await archive.size(run.id, attempt)
        last = await search.tail(archive, run.id, attempt, size=size, lines=_LAST_LINES)
        lines = last.decode(errors="replace")
    except LogRemovedError as error:
        gone = error.detail
    return pages.page(
        request, "run_logs.html", **shown.frame, attempt=attempt, lines=lines, gone=gone, most=_LAST_LINES
    )


@get("/index", guards=[viewer], include_in_schema=False)
async def log_index(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    archive: NamedDependency[SkipValidation[LogArchive]],
) -> Response[bytes]:
    """Return where in the log its lines are, for the module that shows it."""
    attempt, size = await archive.size(shown.run.id, attempt_of(request))
    found = await index_of(archive, shown.run.id, attempt, size=size)
    return Response(msgspec.json.encode(found), media_type="application/json", headers=dict(PAGE_HEADERS))


@get("/lines", guards=[viewer], include_in_schema=False)
async def find_lines(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    archive: NamedDependency[SkipValidation[LogArchive]],
    q: TextParameter = "",
    process: ProcessParameter = "",
) -> Stream:
    """Send the lines that hold a text, or those of a process with their texts: JSON, a part in each line."""
    if bool(q) == bool(process):
        issue = InputIssue(path="q", message="give a text, or else a process")
        raise InvalidInputError("It is not said what is looked for.", issues=(issue,))
    attempt, size = await archive.size(shown.run.id, attempt_of(request))
    finder = holding(q) if q else of_process(process)

    async def found() -> AsyncGenerator[bytes, None]:
        parts = select(archive, shown.run.id, attempt, size=size, finder=finder, texts=not q)
        async for part in parts:
            yield msgspec.json.encode(part) + b"\n"

    headers = {**PAGE_HEADERS, **STREAM_HEADERS}
    return Stream(found(), media_type="application/x-ndjson", headers=headers)


@get("/tail", guards=[viewer], include_in_schema=False)
async def tail_log(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    archive: NamedDependency[SkipValidation[LogArchive]],
    follower: NamedDependency[SkipValidation[LogFollower]],
    start: FromParameter = 0,
    last_event_id: LastEventId = None,
) -> Stream:
    """Send the log as it grows: many lines in an event, since a browser takes long for as many events.

    An event's id is the byte after its text, so that a page that was cut off goes on where it was.
    """
    attempt, _ = await archive.size(shown.run.id, attempt_of(request))
    offset = int(last_event_id) if last_event_id is not None else start

    async def events() -> AsyncGenerator[bytes, None]:
        yield KEEP_ALIVE
        async for part in follower.pieces(shown.run.id, attempt=attempt, offset=offset):
            yield encode_end(part) if isinstance(part, LogEnd) else _piece(part)

    headers = {**PAGE_HEADERS, **STREAM_HEADERS}
    return Stream(events(), media_type="text/event-stream", headers=headers)


def _piece(piece: LogPiece) -> bytes:
    if not piece.text:
        return KEEP_ALIVE
    data = msgspec.json.encode({"at": piece.at, "text": piece.text})
    return b"id: %d\ndata: %s\n\n" % (piece.offset, data)


router = Router(
    PROJECT + "/runs/{run:str}/logs",
    route_handlers=[show_logs, log_index, find_lines, tail_log],
    dependencies=dict(OF_A_RUN),
)
