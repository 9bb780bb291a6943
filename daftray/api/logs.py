"""Logs of runs over HTTP: whole, in ranges, their end, their matches, and as they grow."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter, SkipValidation
from litestar.response import Stream

from daftray.api.auth import viewer
from daftray.api.documented import FORMS, PROBLEMS
from daftray.api.outcomes import AttemptParameter, provide_run_id
from daftray.api.ranges import UnsatisfiableRangeError, parse_range
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.times import with_zone
from daftray.logs import search
from daftray.logs.archive import LogArchive
from daftray.logs.follow import LogBatch, LogEnd, LogFollower
from daftray.logs.index import LogPlace, place_of

PLAIN = "text/plain"  # Litestar adds the charset
KEEP_ALIVE = b": still there\n\n"
STREAM_HEADERS = {"X-Accel-Buffering": "no"}
"""nginx would hold the lines back."""

TailParameter = Annotated[
    int | None, QueryParameter(name="tail", ge=1, le=10_000, description="How many lines.")
]
SearchParameter = Annotated[
    str | None,
    QueryParameter(name="q", min_length=1, max_length=1000, description="Text that lines hold."),
]
FromParameter = Annotated[
    int, QueryParameter(name="from", ge=0, le=2**53, description="The byte to begin with.")
]
SinceParameter = Annotated[
    datetime,
    QueryParameter(name="time", description="RFC 3339, with its offset from UTC: ``2026-01-31T10:30:00Z``."),
]
RangeHeader = Annotated[str | None, HeaderParameter(name="range")]
LastEventId = Annotated[str | None, HeaderParameter(name="last-event-id", pattern=r"^[0-9]{1,18}$")]


@get(
    "/logs",
    guards=[viewer],
    opt={FORMS: {200: "application/json"}, PROBLEMS: (410,)},
    summary="Get a run's log",
    media_type=PLAIN,
    responses={
        206: ResponseSpec(None, description="The bytes that the header `Range` asks for."),
        416: ResponseSpec(None, description="The log has no such bytes; `Content-Range` tells its size."),
    },
)
async def get_log(
    run_id: NamedDependency[str],
    archive: NamedDependency[SkipValidation[LogArchive]],
    attempt: AttemptParameter = None,
    tail: TailParameter = None,
    q: SearchParameter = None,
    range_header: RangeHeader = None,
) -> Response[bytes] | Response[search.LogMatches] | Stream:
    """Return the driver's log, byte for byte. With ``q``, the lines that hold a text, as JSON."""
    number, size = await archive.size(run_id, attempt)
    if q is not None:
        found = await search.search(archive, run_id, number, size=size, text=q)
        return Response(found, media_type="application/json")
    headers = {"Accept-Ranges": "bytes"}
    if tail is not None:
        last = await search.tail(archive, run_id, number, size=size, lines=tail)
        return Response(last, media_type=PLAIN, headers=headers)
    try:
        wanted = parse_range(range_header, size)
    except UnsatisfiableRangeError:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(b"", status_code=416, media_type=PLAIN, headers=headers)
    start, end = (wanted.start, wanted.end) if wanted else (0, size)
    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body = archive.stream(run_id, number, size=size, start=start, end=end)
    return Stream(body, media_type=PLAIN, headers=headers, status_code=206 if wanted else 200)


@get(
    "/logs/tail",
    guards=[viewer],
    opt={PROBLEMS: (410,)},
    summary="Follow a run's log",
    media_type="text/event-stream",
)
async def follow_log(
    run_id: NamedDependency[str],
    archive: NamedDependency[SkipValidation[LogArchive]],
    follower: NamedDependency[SkipValidation[LogFollower]],
    attempt: AttemptParameter = None,
    start: FromParameter = 0,
    last_event_id: LastEventId = None,
) -> Stream:
    """Send lines as server-sent events while the run goes on.

    An event's id is the byte after its line, so that a client that was cut off goes on where it was. The
    last event, ``end``, carries the final status: a stream that closes without it is not the run's end.
    """
    await archive.size(run_id, attempt)  # an attempt that is not there: once the stream began it is too late
    offset = int(last_event_id) if last_event_id is not None else start
    events = _events(follower, run_id, attempt, offset)
    return Stream(events, media_type="text/event-stream", headers=STREAM_HEADERS)


@get("/logs/since", guards=[viewer], opt={PROBLEMS: (410,)}, summary="Find a time in a run's log")
async def find_time(
    run_id: NamedDependency[str],
    archive: NamedDependency[SkipValidation[LogArchive]],
    time: SinceParameter,
    attempt: AttemptParameter = None,
) -> LogPlace:
    """Return the first line that came in at a time or later, as this server saw it, to about a second.

    ``time`` in the answer is when that line came in; without it none did, or it is not known when they did.
    """
    number, size = await archive.size(run_id, attempt)
    return await place_of(archive, run_id, number, size=size, time=with_zone("time", time))


async def _events(
    follower: LogFollower, run_id: str, attempt: int | None, offset: int
) -> AsyncGenerator[bytes, None]:
    """Encode what the follower yields. Sent a batch at a time: an event alone costs more than its line."""
    yield KEEP_ALIVE
    async for part in follower.follow(run_id, attempt=attempt, offset=offset):
        yield _batch(part) if isinstance(part, LogBatch) else encode_end(part)


def _batch(batch: LogBatch) -> bytes:
    if not batch.lines:
        return KEEP_ALIVE
    encode = msgspec.json.encode
    head = b'data: {"timestamp":"%s","message":' % batch.timestamp.encode()
    return b"".join(b"id: %d\n%s%s}\n\n" % (line.offset, head, encode(line.message)) for line in batch.lines)


def encode_end(end: LogEnd) -> bytes:
    """Return the last event of a log."""
    return b'id: %d\nevent: end\ndata: {"status":"%s"}\n\n' % (end.offset, end.status.encode())


router = Router(
    PROJECT + "/runs/{run:str}",
    route_handlers=[get_log, follow_log, find_time],
    dependencies={
        "workspace_id": Provide(provide_workspace),
        "home": Provide(provide_project),
        "run_id": Provide(provide_run_id),
    },
    tags=["logs"],
)
