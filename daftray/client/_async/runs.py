"""Runs: create, get, list, cancel, rerun, follow, wait."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from daftray.client._async.connection import decode
from daftray.client._async.follow import follow_log
from daftray.client._async.pause import pause
from daftray.client._async.records import AsyncRunRecords
from daftray.client.answers import LogLine, RunAnswer, RunPage
from daftray.client.asked import RunOrId, entrypoint_of, given, parameters, run_id, source_of
from daftray.client.errors import RunWaitTimeoutError
from daftray.domain.errors import DaftrayError
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, Environment, Resources, RunRequest, Source
from daftray.domain.status import RunStatus

_FIRST_POLL_S = 0.2
_SLOWEST_POLL_S = 3.0


class AsyncRuns(AsyncRunRecords):
    """The runs of a project."""

    async def create(  # noqa: PLR0913 (the keywords are the fields of a run)
        self,
        entrypoint: Entrypoint | str,
        *,
        args: Sequence[object] | None = None,
        kwargs: Mapping[str, object] | None = None,
        source: Source | None = None,
        remote: str | None = None,
        ref: str | None = None,
        hash: str | None = None,  # noqa: A002 (the API's own word for a commit)
        bundle: bytes | None = None,
        patch: str | bytes | None = None,
        environment: Environment | None = None,
        secrets: Mapping[str, str] | None = None,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        runner: Literal["ray", "native"] = "ray",
        resources: Resources | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Create a run and return it, pending.

        Args:
            entrypoint: an `Entrypoint`, or its text: ``path/file.py``, ``pkg.module``,
                ``path/file.py:function`` or ``pkg.module:function``.
            args: argv of a file or module, or positional arguments of a function.
            kwargs: keyword arguments of a function.
            source: the whole source, in place of the next five.
            remote: a Git remote other than the project's.
            ref: a branch or tag.
            hash: a commit. With neither, the project's branch as it is now.
            bundle: a ``git bundle`` of commits that the remote lacks.
            patch: a diff against the commit.
            environment: Python version, dependencies and environment variables.
            secrets: secrets of this run only, by name; they win over the project's.
            name: a name for people.
            labels: texts by which runs are found again.
            runner: Daft's runner: ``ray``, or ``native`` for the driver alone.
            resources: what the driver reserves in Ray.
            idempotency_key: the same key and body give the same run, so that the call is repeated when its
                answer is lost.

        Raises:
            InvalidInputError: with every issue and its path.
            ProjectNotFoundError: there is no such project.
        """
        request = RunRequest(
            entrypoint=entrypoint_of(entrypoint, args, kwargs),
            source=source or source_of(remote=remote, ref=ref, commit=hash, bundle=bundle, patch=patch),
            environment=environment or Environment(),
            secrets=dict(secrets) if secrets else None,
            name=name,
            labels=dict(labels or {}),
            runner=runner,
            resources=resources,
        )
        return await self.submit(request, idempotency_key=idempotency_key)

    async def submit(self, request: RunRequest, *, idempotency_key: str | None = None) -> Run:
        """Create a run from its whole request; `create` says the rest."""
        response = await self._place.connection.call(
            "POST",
            self._runs_path,
            body=request,
            headers={"Idempotency-Key": idempotency_key} if idempotency_key else None,
            repeatable=idempotency_key is not None,
        )
        return decode(response, RunAnswer).run

    async def get(self, run: RunOrId) -> Run:
        """Return a run as it is now. Raises `RunNotFoundError`."""
        return await self._place.connection.get(self._path(run), Run)

    async def list(
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
        return await self._place.connection.get(self._runs_path, RunPage, parameters=asked)

    async def iterate(
        self,
        *,
        status: RunStatus | str | None = None,
        labels: Mapping[str, str] | None = None,
        q: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = 50,
    ) -> AsyncIterator[Run]:
        """Yield all runs, newest first, asking for page after page. The arguments are those of `list`."""
        cursor: str | None = None
        while True:
            page = await self.list(
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

    async def cancel(self, run: RunOrId) -> Run:
        """Ask for a run's end and return the run; one that has ended is fine. Raises `RunNotFoundError`."""
        response = await self._place.connection.call("POST", f"{self._path(run)}/cancel", repeatable=True)
        return decode(response, RunAnswer).run

    async def rerun(  # noqa: PLR0913 (the keywords are the fields of a run)
        self,
        run: RunOrId,
        *,
        entrypoint: Entrypoint | str | None = None,
        source: Source | None = None,
        environment: Environment | None = None,
        secrets: Mapping[str, str] | None = None,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        runner: Literal["ray", "native"] | None = None,
        resources: Resources | None = None,
    ) -> Run:
        """Run the same commit again and return the new run; what is given replaces what the run had.

        Raises:
            RunNotFoundError: there is no such run.
            InvalidInputError: the run does not fit together with what is given.
        """
        overrides = given(
            entrypoint=entrypoint_of(entrypoint, None, None) if entrypoint is not None else None,
            source=source,
            environment=environment,
            secrets=secrets,
            name=name,
            labels=labels,
            runner=runner,
            resources=resources,
        )
        response = await self._place.connection.call("POST", f"{self._path(run)}/rerun", body=overrides)
        return decode(response, RunAnswer).run

    def follow(self, run: RunOrId, *, from_: int = 0) -> AsyncIterator[LogLine]:
        """Yield a run's log, line by line as it grows, from a byte offset on until the run has ended.

        A connection that breaks is made anew at the last line's end: no line is left out, none comes twice.
        A stream that closes is not taken for the end of the run; only the server's word is.

        Raises:
            RunNotFoundError: there is no such run.
            ServerUnreachableError: the server was away for longer than the client's `Retry` allows.
        """
        return follow_log(self._place.connection, self._path(run), from_=from_)

    async def wait(self, run: RunOrId, *, timeout_s: float | None = None) -> Run:
        """Return a run once it has ended, however long that takes or at most ``timeout_s`` seconds.

        Raises:
            RunWaitTimeoutError: it has not ended in that time; it goes on.
            ServerUnreachableError: the server was away for longer than the client's `Retry` allows.
        """
        started = time.monotonic()
        poll_s, failures = _FIRST_POLL_S, 0
        while True:
            try:
                found = await self.get(run)
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
            await pause(poll_s)
            poll_s = min(poll_s * 1.5, _SLOWEST_POLL_S)
