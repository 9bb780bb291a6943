# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""How runs come to be: one by one, many at once, and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from daftray.client._sync.connection import decode
from daftray.client._sync.records import RunRecords
from daftray.client.answers import BatchAnswer, RunAnswer
from daftray.client.asked import (
    RunOrId,
    changed,
    check_seconds,
    entrypoint_of,
    given,
    idempotency_header,
    retries_of,
)
from daftray.client.request import run_request
from daftray.domain.run import Run
from daftray.domain.spec import Budget, Entrypoint, Environment, Resources, Retries, RunRequest, Source


class RunCreation(RunRecords):
    """New runs of a project.

    Each call is repeated while its answer fails to come, under an idempotency key: the caller's, or one that
    the call makes for itself. However often the server gets it, it does it once.
    """

    def create(  # noqa: PLR0913 (the keywords are the fields of a run)
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
        retries: Retries | int | None = None,
        budget: Budget | None = None,
        priority: int = 0,
        timeout_s: float | None = None,
        start_timeout_s: float | None = None,
        queue_timeout_s: float | None = None,
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
            retries: how often a failed run is tried again, or a `Retries` that also says after which reasons
                and how long after. A number alone means the reasons that are the platform's.
            budget: what all attempts together may use; the run is stopped once they have used more.
            priority: runs of a higher one go first within the project, from -100 to 100.
            timeout_s: how long an attempt may run, in seconds.
            start_timeout_s: how long an attempt may take to start, dependencies included.
            queue_timeout_s: how long an attempt may wait for a place on the cluster.
            idempotency_key: the same key and request give the same run, in other calls and programs too.
                Without one, each call of this is a run of its own.

        Raises:
            InvalidInputError: with every issue and its path.
            ProjectNotFoundError: there is no such project.
            IdempotencyConflictError: the key was used for another request.
            ServerUnreachableError: nobody answered. Whether there is a run is not known then; the same call
                with the same key tells.
        """
        request = run_request(
            entrypoint,
            args=args,
            kwargs=kwargs,
            source=source,
            remote=remote,
            ref=ref,
            hash=hash,
            bundle=bundle,
            patch=patch,
            environment=environment,
            secrets=secrets,
            name=name,
            labels=labels,
            runner=runner,
            resources=resources,
            retries=retries,
            budget=budget,
            priority=priority,
            timeout_s=timeout_s,
            start_timeout_s=start_timeout_s,
            queue_timeout_s=queue_timeout_s,
        )
        return self.submit(request, idempotency_key=idempotency_key)

    def submit(self, request: RunRequest, *, idempotency_key: str | None = None) -> Run:
        """Create a run from its whole request; `create` says the rest."""
        response = self._place.connection.call(
            "POST",
            self._runs_path,
            body=request,
            headers=idempotency_header(idempotency_key),
            repeatable=True,
        )
        return decode(response, RunAnswer).run

    def create_many(
        self, requests: Sequence[RunRequest | Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[str]:
        """Create up to 1,000 runs, all or none, and return their ids in the same order.

        Args:
            requests: what `daftray.client.run_request` makes, or bodies of the API's create call.
            idempotency_key: as of `create`, for all of them together.

        Raises:
            InvalidInputError: with every issue of all, at paths that begin with ``runs[…]``; there is no run.
            ProjectNotFoundError: there is no such project.
            IdempotencyConflictError: the key was used for other requests.
            ServerUnreachableError: as of `create`.
        """
        response = self._place.connection.call(
            "POST",
            f"{self._runs_path}:batch",
            body={"runs": [one if isinstance(one, RunRequest) else dict(one) for one in requests]},
            headers=idempotency_header(idempotency_key),
            repeatable=True,
        )
        return decode(response, BatchAnswer).run_ids

    def rerun(  # noqa: PLR0913 (the keywords are the fields of a run)
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
        retries: Retries | int | msgspec.UnsetType | None = msgspec.UNSET,
        budget: Budget | msgspec.UnsetType | None = msgspec.UNSET,
        priority: int | None = None,
        timeout_s: float | msgspec.UnsetType | None = msgspec.UNSET,
        start_timeout_s: float | msgspec.UnsetType | None = msgspec.UNSET,
        queue_timeout_s: float | msgspec.UnsetType | None = msgspec.UNSET,
        idempotency_key: str | None = None,
    ) -> Run:
        """Run the same commit again and return the new run; what is given replaces what the run had.

        Retries, budget and timeouts that are given as None are taken away. ``idempotency_key`` is as of
        `create`.

        Raises:
            RunNotFoundError: there is no such run.
            InvalidInputError: the run does not fit together with what is given.
            IdempotencyConflictError: the key was used for another request.
            ServerUnreachableError: as of `create`.
        """
        timeouts = {
            "timeout_s": timeout_s,
            "start_timeout_s": start_timeout_s,
            "queue_timeout_s": queue_timeout_s,
        }
        check_seconds(**timeouts)
        overrides = given(
            entrypoint=entrypoint_of(entrypoint, None, None) if entrypoint is not None else None,
            source=source,
            environment=environment,
            secrets=secrets,
            name=name,
            labels=labels,
            runner=runner,
            resources=resources,
            priority=priority,
        ) | changed(
            retries=retries if isinstance(retries, msgspec.UnsetType) else retries_of(retries),
            budget=budget,
            **timeouts,
        )
        response = self._place.connection.call(
            "POST",
            f"{self._path(run)}/rerun",
            body=overrides,
            headers=idempotency_header(idempotency_key),
            repeatable=True,
        )
        return decode(response, RunAnswer).run
