# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""What is kept of a run: its log, result, metrics and history; its problems are in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx

from daftray.client._sync.connection import decode, decode_json
from daftray.client._sync.follow_metrics import follow_metrics
from daftray.client._sync.problems import RunProblems
from daftray.client._sync.streams import open_stream
from daftray.client.answers import EventsAnswer, LogMatches
from daftray.client.asked import RunOrId, parameters
from daftray.domain.metrics import RunMetrics
from daftray.domain.result import RunResult
from daftray.domain.run import RunEvent

_PIECE_BYTES = 4 * 1024 * 1024
_PAST_THE_END = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


class RunRecords(RunProblems):
    """What is kept of the runs of a project."""

    def result(self, run: RunOrId) -> Any:  # any JSON that the run's code returned
        """Return what a run returned, as JSON says it; of a table or an artifact, its `RunResult` as JSON.

        Raises:
            ResultNotFoundError: it returned nothing, or has not ended.
            ResultRemovedError: the server kept it only for a while.
        """
        response = self._place.connection.call("GET", f"{self._path(run)}/results", repeatable=True)
        return decode_json(response)

    def result_preview(self, run: RunOrId) -> RunResult:
        """Return a run's result as daftray keeps it: its kind, columns, first rows. As `result` raises."""
        return self._place.connection.get(f"{self._path(run)}/results/preview", RunResult)

    def download_result(self, run: RunOrId) -> Iterator[bytes]:
        """Yield the bytes of a run's result: Parquet of a table, an artifact's own. As `result` raises."""
        path = f"{self._path(run)}/results/download"
        with open_stream(self._place.connection, path) as response:
            for piece in response.iter_bytes():
                yield piece

    def metrics(self, run: RunOrId, *, price_version: int | None = None) -> RunMetrics:
        """Return what the run has used: requests, tokens, CPU seconds, and what its code counts.

        Its cost is by the prices of its time, or by the version that is named.

        Raises:
            PricesNotFoundError: there is no such version.
        """
        return self._place.connection.get(
            f"{self._path(run)}/metrics", RunMetrics, parameters=parameters(price_version=price_version)
        )

    def follow_metrics(self, run: RunOrId) -> Iterator[RunMetrics]:
        """Yield the run's metrics now and whenever they have changed, to the run's end.

        The first has all of the series, each further one what is new of it; after a broken connection it is
        all of it again.
        """
        for metrics in follow_metrics(self._place.connection, self._path(run)):
            yield metrics

    def events(self, run: RunOrId) -> list[RunEvent]:
        """Return the run's history, oldest first."""
        answer = self._place.connection.get(f"{self._path(run)}/events", EventsAnswer)
        return answer.events

    def logs(
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
            response = self._log(run, tail=tail, attempt=attempt)
            return response.content
        pieces = [piece for piece in self.iterate_logs(run, start=start, end=end, attempt=attempt)]
        return b"".join(pieces)

    def iterate_logs(
        self, run: RunOrId, *, start: int = 0, end: int | None = None, attempt: int | None = None
    ) -> Iterator[bytes]:
        """Yield bytes of a run's log in pieces, for logs that no memory should hold. As `logs` raises."""
        while end is None or start < end:
            stop = start + _PIECE_BYTES if end is None else min(start + _PIECE_BYTES, end)
            response = self._log(run, range_=f"bytes={start}-{stop - 1}", attempt=attempt)
            if response.status_code == _PAST_THE_END:
                return
            yield response.content
            start += len(response.content)
            # A server that answers the whole in place of the range has answered all there is.
            if response.status_code != HTTPStatus.PARTIAL_CONTENT or start < stop:
                return

    def search_logs(self, run: RunOrId, text: str, *, attempt: int | None = None) -> LogMatches:
        """Return the lines of a run's log that hold a text. As `logs` raises."""
        response = self._log(run, q=text, attempt=attempt)
        return decode(response, LogMatches)

    def _log(
        self, run: RunOrId, *, range_: str | None = None, **asked: str | int | None
    ) -> httpx.Response:
        return self._place.connection.call(
            "GET",
            f"{self._path(run)}/logs",
            parameters=parameters(**asked),
            headers={"Range": range_, "Accept": "*/*"} if range_ else {"Accept": "*/*"},
            repeatable=True,
            accepted=_PAST_THE_END,
        )
