# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Runs: get, list, cancel, follow, wait."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from daftray.client._sync.connection import decode
from daftray.client._sync.creation import RunCreation
from daftray.client._sync.follow import follow_log
from daftray.client._sync.pause import pause
from daftray.client.answers import LogLine, RunAnswer, RunPage
from daftray.client.asked import RunOrId, parameters, run_id
from daftray.client.errors import RunWaitTimeoutError
from daftray.domain.errors import DaftrayError
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

_FIRST_POLL_S = 0.2
_SLOWEST_POLL_S = 3.0


class Runs(RunCreation):
    """The runs of a project."""

    def get(self, run: RunOrId) -> Run:
        """Return a run as it is now. Raises `RunNotFoundError`."""
        return self._place.connection.get(self._path(run), Run)

    def list(
        self,
        *,
        status: RunStatus | str | None = None,
        labels: Mapping[str, str] | None = None,
        q: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """Return a page of runs, newest first.

        Args:
            status: only runs of that status.
            labels: only runs with all of these labels.
            q: only runs whose name, entrypoint or id holds this text.
            created_after: only later ones.
            created_before: only earlier ones.
            limit: at most so many.
            cursor: `RunPage.next_cursor` of the page before.
        """
        asked = parameters(
            status=status,
            q=q,
            created_after=created_after.isoformat() if created_after else None,
            created_before=created_before.isoformat() if created_before else None,
            limit=limit,
            cursor=cursor,
        )
        asked += [("label", f"{key}={value}") for key, value in (labels or {}).items()]
        return self._place.connection.get(self._runs_path, RunPage, parameters=asked)

    def iterate(
        self,
        *,
        status: RunStatus | str | None = None,
        labels: Mapping[str, str] | None = None,
        q: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = 50,
    ) -> Iterator[Run]:
        """Yield all runs, newest first, asking for page after page. The arguments are those of `list`."""
        cursor: str | None = None
        while True:
            page = self.list(
                status=status,
                labels=labels,
                q=q,
                created_after=created_after,
                created_before=created_before,
                limit=page_size,
                cursor=cursor,
            )
            for run in page:
                yield run
            if page.next_cursor is None or page.next_cursor == cursor:
                return
            cursor = page.next_cursor

    def cancel(self, run: RunOrId) -> Run:
        """Ask for a run's end and return the run; one that has ended is fine. Raises `RunNotFoundError`."""
        response = self._place.connection.call("POST", f"{self._path(run)}/cancel", repeatable=True)
        return decode(response, RunAnswer).run

    def follow(self, run: RunOrId, *, from_: int = 0, attempt: int | None = None) -> Iterator[LogLine]:
        """Yield a run's log, line by line as it grows, from a byte offset on until the run has ended.

        A connection that breaks is made anew at the last line's end: no line is left out, none comes twice.
        A stream that closes is not taken for the end of the run; only the server's word is. Where the run is
        tried again, the log of the next attempt follows, from its first line.

        Args:
            run: the run, or its id.
            from_: `LogLine.offset` of the last line that is known.
            attempt: the attempt to begin with, `LogLine.attempt` of that line; the current one by default.

        Raises:
            RunNotFoundError: there is no such run.
            ServerUnreachableError: the server was away for longer than the client's `Retry` allows.
        """
        return follow_log(self._place.connection, self._path(run), from_=from_, attempt=attempt)

    def wait(self, run: RunOrId, *, timeout_s: float | None = None) -> Run:
        """Return a run once it has ended, however long that takes or at most ``timeout_s`` seconds.

        Raises:
            RunWaitTimeoutError: it has not ended in that time; it goes on.
            ServerUnreachableError: the server was away for longer than the client's `Retry` allows.
        """
        started = time.monotonic()
        poll_s, failures = _FIRST_POLL_S, 0
        while True:
            try:
                found = self.get(run)
                failures = 0
            except DaftrayError as exc:
                failures += 1
                if not exc.retryable or failures >= self._place.connection.retry.patience:
                    raise
            else:
                if found.status.terminal:
                    return found
            if timeout_s is not None and time.monotonic() - started + poll_s > timeout_s:
                raise RunWaitTimeoutError(
                    f"Run {run_id(run)} has not ended within {timeout_s:g} s; it goes on."
                )
            pause(poll_s)
            poll_s = min(poll_s * 1.5, _SLOWEST_POLL_S)
