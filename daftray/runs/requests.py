"""What is checked of a request before anything of it is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import Environment, RunRequest, RunSpec, Source
from daftray.domain.trigger import MANUAL
from daftray.runs.sources import check_entrypoint
from daftray.runtime_env import dependencies, python_version
from daftray.runtime_env.submission import RESERVED_VARIABLES

LARGEST_SPEC = 512 * 1024
"""Bytes of a run as it was asked for, in JSON, without bundle, patch and secrets."""
MOST_AT_ONCE = 1000
"""Runs of one bulk create."""
_NOT_AS_ASKED = "The run cannot be created as asked."
_MISFIT = re.compile(r"(.*) - at `(?:key` in `)?\$\.?(.*)`", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a run comes from: what started it, the task that it is of, and the run that it repeats."""

    trigger: str = MANUAL
    task: str | None = None
    rerun_of: str | None = None


def overridden(
    spec: RunSpec, overrides: dict[str, Any], *, source: Source, secrets: dict[str, str]
) -> RunRequest:
    """Return the request for a run like one that was asked for before, with fields replaced one by one.

    Secrets are the one field whose names count each for itself: they are added to those that there are.

    Raises:
        InvalidInputError: it does not fit together with the overrides.
    """
    before = {name: getattr(spec, name) for name in RunSpec.__struct_fields__}
    merged = {**msgspec.to_builtins({**before, "source": source}), **overrides}
    try:
        merged["secrets"] = {**secrets, **msgspec.convert(overrides.get("secrets") or {}, dict[str, Any])}
        return msgspec.convert(merged, RunRequest)
    except msgspec.ValidationError as exc:
        raise misfit(exc) from exc


def check_all(requests: Sequence[RunRequest]) -> None:
    """Refuse requests of which one is not valid. Raises `InvalidInputError` with every issue of all."""
    if not 1 <= len(requests) <= MOST_AT_ONCE:
        raise InvalidInputError(f"Give 1 to {MOST_AT_ONCE} runs, not {len(requests)}: make several calls.")
    issues: list[InputIssue] = []
    for number, request in enumerate(requests):
        try:
            check(request)
        except InvalidInputError as exc:
            issues += issues_at(number, exc)
    refuse(issues)


def issues_at(number: int, error: InvalidInputError) -> list[InputIssue]:
    """Return what is wrong with one request of many, each at its path in the whole body."""
    found = error.issues or (InputIssue(path="", message=error.detail),)
    return [InputIssue(path=f"runs[{number}].{one.path}".rstrip("."), message=one.message) for one in found]


def misfit(error: msgspec.ValidationError) -> InvalidInputError:
    """Return the refusal of a request with a field that is not of its type, at that field's path."""
    found = _MISFIT.fullmatch(str(error))
    issue = InputIssue(path=found[2], message=found[1]) if found else InputIssue(path="", message=str(error))
    return InvalidInputError(_NOT_AS_ASKED, issues=(issue,))


def check(request: RunRequest) -> None:
    """Refuse a request that is not valid. Raises `InvalidInputError`, or one of its kinds."""
    request.check()
    refuse(check_entrypoint(request.entrypoint) + _check_environment(request.environment))
    normalised(request.environment)


def digest_of(asked: object, key: bytes) -> str:
    """Return a digest of what was asked, secret values included: an HMAC, since those may be guessable."""
    encoded = msgspec.json.encode(asked, order="deterministic")
    return hmac.new(key, encoded, hashlib.sha256).hexdigest()


def _check_environment(environment: Environment) -> list[InputIssue]:
    python_version.parse(environment.python_version)
    issues: list[InputIssue] = []
    for name, value in (environment.environment_variables or {}).items():
        path = f"environment.environment_variables.{name}"
        if name in RESERVED_VARIABLES:
            message = "daftray sets this variable itself: choose another name"
            issues.append(InputIssue(path=path, message=message))
        elif "\0" in value:  # no process would start with it, and Ray would not say why
            message = "no environment variable can hold a NUL character: encode the value"
            issues.append(InputIssue(path=path, message=message))
    return issues


def check_size(spec: dict[str, Any]) -> None:
    """Refuse a run that would make every list of runs large. What it brought along is not in it any more."""
    if (size := len(msgspec.json.encode(spec))) > LARGEST_SPEC:
        raise InvalidInputError(
            f"The run's arguments, variables, labels and dependencies are {size >> 10} KiB together; at most "
            f"{LARGEST_SPEC >> 10} KiB are kept: put larger data into your object store and name it."
        )


def normalised(environment: Environment) -> Environment:
    """Return the environment with its dependencies in their one form. Raises `DependenciesInvalidError`."""
    return msgspec.structs.replace(environment, dependencies=dependencies.normalise(environment.dependencies))


def refuse(issues: Sequence[InputIssue]) -> None:
    """Raise `InvalidInputError` where there are issues."""
    if issues:
        raise InvalidInputError(_NOT_AS_ASKED, issues=tuple(issues))
