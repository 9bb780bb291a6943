"""From what callers give to what the API takes. No input or output of its own."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence

import msgspec

from daftray.client.entrypoint import parse_entrypoint
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.ids import Ids
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, GitSource, Retries, Source

RunOrId = Run | str
_LONGEST_KEY = 200


def run_id(run: RunOrId) -> str:
    """Return the id of a run that is given as itself or by its id."""
    return run if isinstance(run, str) else run.id


def entrypoint_of(
    entrypoint: Entrypoint | str, args: Sequence[object] | None, kwargs: Mapping[str, object] | None
) -> Entrypoint:
    """Return an entrypoint with the arguments that were given beside it.

    Raises:
        InvalidInputError: its text names nothing, or the arguments do not fit its kind.
    """
    parsed = parse_entrypoint(entrypoint) if isinstance(entrypoint, str) else entrypoint
    if args is None and kwargs is None:
        return parsed
    if parsed.function:
        function = msgspec.structs.replace(
            parsed.function,
            args=list(args) if args is not None else parsed.function.args,
            kwargs=dict(kwargs) if kwargs is not None else parsed.function.kwargs,
        )
        return Entrypoint(function=function)
    if kwargs:
        message = "Only a function takes keyword arguments: write path/file.py:function, or use `args`."
        raise _refusal("entrypoint", message)
    argv = [str(argument) for argument in args or ()]
    if parsed.file:
        return Entrypoint(file=msgspec.structs.replace(parsed.file, argv=argv))
    if parsed.module:
        return Entrypoint(module=msgspec.structs.replace(parsed.module, argv=argv))
    return parsed


def source_of(
    *,
    remote: str | None = None,
    ref: str | None = None,
    commit: str | None = None,
    bundle: bytes | None = None,
    patch: str | bytes | None = None,
) -> Source:
    """Return the source of those parts; without any of them, the project's branch is meant."""
    if not (remote or ref or commit or bundle or patch):
        return Source()
    return Source(
        git=GitSource(
            remote=remote or "",
            hash=commit or "",
            ref=ref,
            bundle=base64.b64encode(bundle).decode("ascii") if bundle else None,
            patch=_text(patch) if patch else None,
        )
    )


def given(**fields: object) -> dict[str, object]:
    """Return the fields that are not None: what an override, or a change, says."""
    return {name: value for name, value in fields.items() if value is not None}


def changed(**fields: object) -> dict[str, object]:
    """Return the fields that are set, to None included: what an override, or a change, takes away."""
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}


def retries_of(retries: Retries | int | None) -> Retries | None:
    """Return retries that are given as such, or by how often; 0 is none."""
    if isinstance(retries, int):
        return Retries(max=retries) if retries else None
    return retries


def check_seconds(**fields: object) -> None:
    """Refuse times that are infinite or no number. JSON has neither, and would say null: no bound at all.

    Raises:
        InvalidInputError: one of them is such a time.
    """
    for name, seconds in fields.items():
        if isinstance(seconds, float) and not math.isfinite(seconds):
            raise _refusal(name, f"{name} is {seconds}: give a number of seconds, or None.")


def idempotency_header(key: str | None) -> dict[str, str]:
    """Return the header that lets a call be repeated; without a key one is made, for this call alone.

    Raises:
        InvalidInputError: no header could hold the key.
    """
    if key is None:
        key = Ids().token()
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable() and key == key.strip()):
        message = (
            f"An idempotency key has 1 to {_LONGEST_KEY} visible ASCII characters, and blanks only between "
            "them."
        )
        raise _refusal("idempotency_key", message)
    return {"Idempotency-Key": key}


def parameters(**fields: str | int | None) -> list[tuple[str, str]]:
    """Return a query's parameters: those that are not None."""
    return [(name, str(value)) for name, value in fields.items() if value is not None]


def _text(patch: str | bytes) -> str:
    try:
        return patch if isinstance(patch, str) else patch.decode("utf-8")
    except UnicodeDecodeError as exc:
        message = "The patch is not UTF-8: commit the files of other encodings, or send them as a bundle."
        raise _refusal("source.git.patch", message) from exc


def _refusal(path: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, issues=(InputIssue(path=path, message=message),))
