"""From what callers give to what the API takes. No input or output of its own."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import msgspec

from daftray.client.entrypoint import parse_entrypoint
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, GitSource, Source

RunOrId = Run | str


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
        raise InvalidInputError(message, issues=(InputIssue(path="entrypoint", message=message),))
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


def parameters(**fields: str | int | None) -> list[tuple[str, str]]:
    """Return a query's parameters: those that are not None."""
    return [(name, str(value)) for name, value in fields.items() if value is not None]


def _text(patch: str | bytes) -> str:
    try:
        return patch if isinstance(patch, str) else patch.decode("utf-8")
    except UnicodeDecodeError as exc:
        message = "The patch is not UTF-8: commit the files of other encodings, or send them as a bundle."
        raise InvalidInputError(
            message, issues=(InputIssue(path="source.git.patch", message=message),)
        ) from exc
