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
from daftray.client.answers import LogEndData, LogEventData, LogLine
from daftray.client.asked import parameters
from daftray.client.errors import AnswerNotUnderstoodError, ServerUnreachableError
from daftray.domain.errors import DaftrayError, LogNotFoundError
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

SILENCE_S = 60.0
"""A stream that says nothing for so long, not even a comment, is taken for dead and opened anew."""
_LOG_EVENTS = frozenset({"log", "message"})


def follow_log(
    connection: Connection, run_path: str, *, from_: int, attempt: int | None
) -> Iterator[LogLine]:
    """Yield the lines of a run's log from a byte offset on, until the server says that the run has ended.

    The attempt is named in every request: the server's own choice, the current one, can change between two.
    """
    number, offset, failures = attempt, from_, 0
    while True:
        try:
            if number is None:
                number = (connection.get(run_path, Run)).attempt
            with closing(_events(connection, run_path, number, offset)) as events:
                for event in events:
                    if event.event == "end":
                        break
                    line = log_line(event, number)
                    # A line that was seen before the cut may come again: what it ends at tells.
                    if line is not None and line.offset > offset:
                        offset, failures = line.offset, 0
                        yield line
                else:
                    raise ServerUnreachableError(
                        f"The stream of the log closes before the run's end is told (after {offset} bytes)."
                    )
            if _was_last(connection, run_path, number, event):
                return
            number, offset, failures = number + 1, 0, 0
        except DaftrayError as exc:
            counted = _failures_after(connection, run_path, exc, failures)
            if counted is None:
                return
            failures = counted
            pause(connection.retry.pause_s(failures))


def _failures_after(
    connection: Connection, run_path: str, trouble: DaftrayError, failures: int
) -> int | None:
    """Return the failures in a row with this one; nothing where the run has ended without a log.

    Raises:
        DaftrayError: the trouble itself, where it will not pass or patience has ended.
    """
    if not trouble.retryable and not isinstance(trouble, LogNotFoundError):
        raise trouble
    run = _look(connection, run_path)
    if run is not None and run.status.terminal and isinstance(trouble, LogNotFoundError):
        return None
    failures = failures + 1 if run is None or run.status.terminal else 1
    if failures >= connection.retry.patience:
        raise trouble
    return failures


def _was_last(connection: Connection, run_path: str, attempt: int, end: ServerSentEvent) -> bool:
    """Tell whether the attempt whose log has ended was the run's last one. Only a failed one is not."""
    try:
        failed = msgspec.json.decode(end.data, type=LogEndData).status == RunStatus.FAILED
    except msgspec.DecodeError as exc:
        raise AnswerNotUnderstoodError(f"The end of the log's stream is not understood: {exc}") from exc
    return not failed or (connection.get(run_path, Run)).attempt <= attempt


def _look(connection: Connection, run_path: str) -> Run | None:
    """Return the run, or nothing where the server is away."""
    try:
        return connection.get(run_path, Run)
    except DaftrayError as exc:
        if exc.retryable:
            return None
        raise


def _events(
    connection: Connection, run_path: str, attempt: int, offset: int
) -> Generator[ServerSentEvent, None]:
    with open_stream(
        connection,
        f"{run_path}/logs/tail",
        parameters=parameters(**{"from": offset, "attempt": attempt}),
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


def log_line(event: ServerSentEvent, attempt: int) -> LogLine | None:
    """Return the line that an event of an attempt's log carries, or nothing for an event of another kind.

    Raises:
        AnswerNotUnderstoodError: it is malformed.
    """
    # httpx-sse passes on what the specification drops: a comment's blank line, with the id of the last event.
    if event.event not in _LOG_EVENTS or not event.data:
        return None
    try:
        data = msgspec.json.decode(event.data, type=LogEventData)
        return LogLine(offset=int(event.id), timestamp=data.timestamp, message=data.message, attempt=attempt)
    except ValueError as exc:
        raise AnswerNotUnderstoodError(f"An event of the log's stream is not understood: {exc}") from exc
