"""Follow a run's metrics over server-sent events, through broken connections, to the run's end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from httpx_sse import EventSource, SSEError

from daftray.client._async.connection import AsyncConnection
from daftray.client._async.follow import SILENCE_S
from daftray.client._async.pause import pause
from daftray.client._async.streams import open_stream
from daftray.client.errors import AnswerNotUnderstoodError, ServerUnreachableError
from daftray.domain.errors import DaftrayError
from daftray.domain.metrics import RunMetrics


async def follow_metrics(connection: AsyncConnection, run_path: str) -> AsyncIterator[RunMetrics]:
    """Yield a run's metrics now and whenever they have changed, until the run has ended."""
    failures = 0
    while True:
        try:
            async with open_stream(
                connection, f"{run_path}/metrics/tail", accept="text/event-stream", silence_s=SILENCE_S
            ) as response:
                # Any: the twin that blocks is a generator too, but its declared type does not say so.
                opened: Any = EventSource(response).aiter_sse()
                async with aclosing(opened) as events:
                    async for event in events:
                        if event.event == "end":
                            return
                        if event.event == "metrics" and event.data:
                            failures = 0
                            yield _metrics(event.data)
            raise ServerUnreachableError("The stream of the metrics closes before the run's end is told.")
        except SSEError as exc:
            raise AnswerNotUnderstoodError(f"The metrics' stream is not understood: {exc}") from exc
        except DaftrayError as exc:
            failures += 1
            if not exc.retryable or failures >= connection.retry.patience:
                raise
            await pause(connection.retry.pause_s(failures))


def _metrics(data: str) -> RunMetrics:
    try:
        return msgspec.json.decode(data, type=RunMetrics)
    except msgspec.DecodeError as exc:
        raise AnswerNotUnderstoodError(f"An event of the metrics' stream is not understood: {exc}") from exc
