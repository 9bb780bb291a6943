# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Follow a run's log over server-sent events, through broken connections, to the run's end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

import msgspec
from httpx_sse import EventSource, ServerSentEvent, SSEError

from daftray.client._sync.connection import Connection
from daftray.client._sync.pause import pause
from daftray.client._sync.streams import open_stream
from daftray.client.answers import LogEventData, LogLine
from daftray.client.asked import parameters
from daftray.client.errors import AnswerNotUnderstoodError, ServerUnreachableError
from daftray.domain.errors import DaftrayError, LogNotFoundError
from daftray.domain.run import Run

SILENCE_S = 60.0
"""A stream that says nothing for so long, not even a comment, is taken for dead and opened anew."""
_LOG_EVENTS = frozenset({"log", "message"})


def follow_log(connection: Connection, run_path: str, *, from_: int) -> Iterator[LogLine]:
    """Yield the lines of a run's log from a byte offset on, until the server says that the run has ended."""
    offset, failures = from_, 0
    while True:
        try:
            with closing(_events(connection, run_path, offset)) as events:
                for event in events:
                    if event.event == "end":
                        return
                    line = log_line(event)
                    # A line that was seen before the cut may come again: what it ends at tells.
                    if line is not None and line.offset > offset:
                        offset, failures = line.offset, 0
                        yield line
            trouble: DaftrayError = ServerUnreachableError(
                f"The stream of the log closes before the run's end is told (after {offset} bytes)."
            )
        except DaftrayError as exc:
            if not exc.retryable and not isinstance(exc, LogNotFoundError):
                raise
            trouble = exc
        run = _look(connection, run_path)
        if run is not None and run.status.terminal and isinstance(trouble, LogNotFoundError):
            return
        goes_on = run is not None and not run.status.terminal
        failures = 1 if goes_on else failures + 1
        if failures >= connection.retry.patience:
            raise trouble
        pause(connection.retry.pause_s(failures))


def _look(connection: Connection, run_path: str) -> Run | None:
    """Return the run, or nothing where the server is away."""
    try:
        return connection.get(run_path, Run)
    except DaftrayError as exc:
        if exc.retryable:
            return None
        raise


def _events(
    connection: Connection, run_path: str, offset: int
) -> Generator[ServerSentEvent, None]:
    with open_stream(
        connection,
        f"{run_path}/logs/tail",
        parameters=parameters(**{"from": offset}),
        accept="text/event-stream",
        silence_s=SILENCE_S,
    ) as response:
        # Any: the twin that blocks is a generator too, but its declared type does not say so.
        opened: Any = EventSource(response).iter_sse()
        try:
            with closing(opened) as events:
                for event in events:
                    yield event
        except SSEError as exc:
            raise AnswerNotUnderstoodError(f"The log's stream is not understood: {exc}") from exc


def log_line(event: ServerSentEvent) -> LogLine | None:
    """Return the line that an event carries, or nothing for an event of another kind.

    Raises:
        AnswerNotUnderstoodError: it is malformed.
    """
    # httpx-sse passes on what the specification drops: a comment's blank line, with the id of the last event.
    if event.event not in _LOG_EVENTS or not event.data:
        return None
    try:
        data = msgspec.json.decode(event.data, type=LogEventData)
        return LogLine(offset=int(event.id), timestamp=data.timestamp, message=data.message)
    except ValueError as exc:
        raise AnswerNotUnderstoodError(f"An event of the log's stream is not understood: {exc}") from exc
