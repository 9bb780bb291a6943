"""The whole request of a run, from the keywords that `create` takes: for many runs in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from daftray.client.asked import check_seconds, entrypoint_of, retries_of, source_of
from daftray.domain.spec import Budget, Entrypoint, Environment, Resources, Retries, RunRequest, Source


def run_request(  # noqa: PLR0913 (the keywords are the fields of a run)
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
) -> RunRequest:
    """Return the request for a run. The arguments are those of ``client.runs.create``, which explains them.

    Raises:
        InvalidInputError: the entrypoint's text names nothing, an argument does not fit its kind, or a time
            is no number.
    """
    check_seconds(timeout_s=timeout_s, start_timeout_s=start_timeout_s, queue_timeout_s=queue_timeout_s)
    return RunRequest(
        entrypoint=entrypoint_of(entrypoint, args, kwargs),
        source=source or source_of(remote=remote, ref=ref, commit=hash, bundle=bundle, patch=patch),
        environment=environment or Environment(),
        secrets=dict(secrets) if secrets else None,
        name=name,
        labels=dict(labels or {}),
        runner=runner,
        resources=resources,
        retries=retries_of(retries),
        budget=budget,
        priority=priority,
        timeout_s=timeout_s,
        start_timeout_s=start_timeout_s,
        queue_timeout_s=queue_timeout_s,
    )
