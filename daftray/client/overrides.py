"""The fields of a run that calls override, or give beside an entrypoint: as keywords and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, cast

from daftray.client.asked import check_seconds, entrypoint_of, retries_of
from daftray.domain.spec import Budget, Entrypoint, Environment, Resources, Retries, Source
from daftray.domain.trigger import Trigger

_SECONDS = ("timeout_s", "start_timeout_s", "queue_timeout_s")


class RunFields(TypedDict, total=False):
    """What a run is asked to be, apart from what it executes and what it is called.

    ``client.runs.create`` explains the fields. None takes away what there was.
    """

    source: Source
    environment: Environment
    secrets: Mapping[str, str]
    labels: Mapping[str, str]
    runner: Literal["ray", "native"]
    resources: Resources | None
    retries: Retries | int | None
    budget: Budget | None
    priority: int
    timeout_s: float | None
    start_timeout_s: float | None
    queue_timeout_s: float | None


class Overrides(RunFields, total=False):
    """All fields of a run. One that is given goes in place of what there was, as a whole."""

    entrypoint: Entrypoint | str
    name: str | None


class TaskChanges(Overrides, total=False):
    """All fields of a task."""

    triggers: Sequence[Trigger]


def fields_of(given: RunFields) -> dict[str, object]:
    """Return the fields as the API takes them.

    Raises:
        InvalidInputError: an entrypoint's text names nothing, or a time is no number.
    """
    fields = dict(cast("Mapping[str, object]", given))
    check_seconds(**{name: fields.get(name) for name in _SECONDS})
    if "retries" in given:
        fields["retries"] = retries_of(given["retries"])
    entrypoint = fields.get("entrypoint")
    if isinstance(entrypoint, str):
        fields["entrypoint"] = entrypoint_of(entrypoint, None, None)
    return fields
