"""What is checked of a request before anything of it is kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import Environment, RunRequest
from daftray.runs.sources import check_entrypoint
from daftray.runtime_env import dependencies, python_version
from daftray.runtime_env.submission import RESERVED_VARIABLES

LARGEST_SPEC = 512 * 1024
"""Bytes of a run as it was asked for, in JSON, without bundle, patch and secrets."""
MOST_AT_ONCE = 1000
"""Runs of one bulk create."""


def check_all(requests: Sequence[RunRequest]) -> None:
    """Refuse requests of which one is not valid. Raises `InvalidInputError` with every issue of all."""
    if len(requests) == 1:
        check(requests[0])
        return
    if not 1 <= len(requests) <= MOST_AT_ONCE:
        raise InvalidInputError(f"Give 1 to {MOST_AT_ONCE} runs, not {len(requests)}: make several calls.")
    issues: list[InputIssue] = []
    for number, request in enumerate(requests):
        try:
            check(request)
        except InvalidInputError as exc:
            found = exc.issues or (InputIssue(path="", message=exc.detail),)
            issues += [
                InputIssue(path=f"runs[{number}].{one.path}".rstrip("."), message=one.message)
                for one in found
            ]
    _refuse(issues)


def check(request: RunRequest) -> None:
    """Refuse a request that is not valid. Raises `InvalidInputError`, or one of its kinds."""
    request.check()
    _refuse(check_entrypoint(request.entrypoint) + _check_environment(request.environment))
    normalised(request.environment)


def digest_of(requests: Sequence[RunRequest], rerun_of: str | None, key: bytes) -> str:
    """Return a digest of what was asked, secret values included: an HMAC, since those may be guessable."""
    asked = msgspec.json.encode([rerun_of, list(requests)], order="deterministic")
    return hmac.new(key, asked, hashlib.sha256).hexdigest()


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


def _refuse(issues: list[InputIssue]) -> None:
    if issues:
        raise InvalidInputError("The run cannot be created as asked.", issues=tuple(issues))
