"""What is kept of a run: its log, result, metrics and history; its problems are in a file of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx

from daftray.client._async.connection import decode, decode_json
from daftray.client._async.follow_metrics import follow_metrics
from daftray.client._async.problems import AsyncRunProblems
from daftray.client._async.streams import open_stream
from daftray.client.answers import EventsAnswer, LogMatches
from daftray.client.asked import RunOrId, parameters
from daftray.domain.metrics import RunMetrics
from daftray.domain.result import RunResult
from daftray.domain.run import RunEvent

_PIECE_BYTES = 4 * 1024 * 1024
_PAST_THE_END = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


class AsyncRunRecords(AsyncRunProblems):
    """What is kept of the runs of a project."""

    async def result(self, run: RunOrId) -> Any:  # any JSON that the run's code returned
        """Return what a run returned, as JSON says it; of a table or an artifact, its `RunResult` as JSON.

        Raises:
            ResultNotFoundError: it returned nothing, or has not ended.
            ResultRemovedError: the server kept it only for a while.
        """
        response = await self._place.connection.call("GET", f"{self._path(run)}/results", repeatable=True)
        return decode_json(response)

    async def result_preview(self, run: RunOrId) -> RunResult:
        """Return a run's result as daftray keeps it: its kind, columns, first rows. As `result` raises."""
        return await self._place.connection.get(f"{self._path(run)}/results/preview", RunResult)

    async def download_result(self, run: RunOrId) -> AsyncIterator[bytes]:
        """Yield the bytes of a run's result: Parquet of a table, an artifact's own. As `result` raises."""
        path = f"{self._path(run)}/results/download"
        async with open_stream(self._place.connection, path) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def metrics(self, run: RunOrId, *, price_version: int | None = None) -> RunMetrics:
        """Return what the run has used: requests, tokens, CPU seconds, and what its code counts.

        Its cost is by the prices of its time, or by the version that is named.

        Raises:
            PricesNotFoundError: there is no such version.
        """
        return await self._place.connection.get(
            f"{self._path(run)}/metrics", RunMetrics, parameters=parameters(price_version=price_version)
        )

    async def follow_metrics(self, run: RunOrId) -> AsyncIterator[RunMetrics]:
        """Yield the run's metrics now and whenever they have changed, to the run's end.

        The first has all of the series, each further one what is new of it; after a broken connection it is
        all of it again.
        """
        async for metrics in follow_metrics(self._place.connection, self._path(run)):
            yield metrics

    async def events(self, run: RunOrId) -> list[RunEvent]:
        """Return the run's history, oldest first."""
        answer = await self._place.connection.get(f"{self._path(run)}/events", EventsAnswer)
        return answer.events

    async def logs(
        self,
        run: RunOrId,
        *,
        start: int = 0,
        end: int | None = None,
        tail: int | None = None,
        attempt: int | None = None,
    ) -> bytes:
        """Return bytes of a run's log as its process wrote them.

        Args:
            run: the run, or its id.
            start: the first byte.
            end: the byte after the last one; without it, all that there is.
            tail: the last so many lines, in place of a range.
            attempt: an attempt other than the latest.

        Raises:
            LogNotFoundError: the run has written nothing yet.
            LogRemovedError: the server kept it only for a while.
        """
        if tail is not None:
            response = await self._log(run, tail=tail, attempt=attempt)
            return response.content
        pieces = [piece async for piece in self.iterate_logs(run, start=start, end=end, attempt=attempt)]
        return b"".join(pieces)

    async def iterate_logs(
        self, run: RunOrId, *, start: int = 0, end: int | None = None, attempt: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield bytes of a run's log in pieces, for logs that no memory should hold. As `logs` raises."""
        while end is None or start < end:
            stop = start + _PIECE_BYTES if end is None else min(start + _PIECE_BYTES, end)
            response = await self._log(run, range_=f"bytes={start}-{stop - 1}", attempt=attempt)
            if response.status_code == _PAST_THE_END:
                return
            yield response.content
            start += len(response.content)
            # A server that answers the whole in place of the range has answered all there is.
            if response.status_code != HTTPStatus.PARTIAL_CONTENT or start < stop:
                return

    async def search_logs(self, run: RunOrId, text: str, *, attempt: int | None = None) -> LogMatches:
        """Return the lines of a run's log that hold a text. As `logs` raises."""
        response = await self._log(run, q=text, attempt=attempt)
        return decode(response, LogMatches)

    async def _log(
        self, run: RunOrId, *, range_: str | None = None, **asked: str | int | None
    ) -> httpx.Response:
        return await self._place.connection.call(
            "GET",
            f"{self._path(run)}/logs",
            parameters=parameters(**asked),
            headers={"Range": range_, "Accept": "*/*"} if range_ else {"Accept": "*/*"},
            repeatable=True,
            accepted=_PAST_THE_END,
        )
