"""What was typed to ``daftray run``, and the parts of a run that follow from it and from the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from daftray.cli import screen
from daftray.cli.dependencies import Dependencies, find_dependencies, given_dependencies, read_dependencies
from daftray.cli.python_version import check_python_version, find_python_version
from daftray.cli.variables import read_assignments
from daftray.client.entrypoint import is_path, parse_entrypoint
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import Entrypoint, Environment

if TYPE_CHECKING:
    from daftray.adapters.gitrepo.checkout import Checkout

_OUR_OPTIONS = re.compile(
    r"--(project|ref|remote|env-file|dep|deps-from|follow|detach|patch|no-patch|retries|retry-on|retry-backoff"
    r"|start-timeout|queue-timeout|idempotency-key)(=.*)?"
)


class RunWish(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. ``on_disk`` tells whether the code is what lies here, not what a remote has."""

    entrypoint: str
    arguments: Sequence[str] = ()
    on_disk: bool = True
    variables: Sequence[str] = ()
    dependencies: Sequence[str] = ()
    dependencies_from: Path | None = None
    python_version: str | None = None


class PlacedEntrypoint(msgspec.Struct, frozen=True, kw_only=True):
    """An entrypoint as the API takes it; and where, up to ``root``, its environment is declared."""

    entrypoint: Entrypoint
    folder: Path
    root: Path


def place_entrypoint(wish: RunWish, checkout: Checkout | None) -> PlacedEntrypoint:
    """Return the entrypoint with its path relative to the repository's root.

    Raises:
        InvalidInputError: it names nothing, nothing that is there, or a file outside of the repository.
    """
    here = Path.cwd()
    parsed = parse_entrypoint(wish.entrypoint, wish.arguments)
    warn_of_misplaced_options(wish.arguments)
    root = checkout.root.resolve() if checkout else here
    typed = _path_in(parsed)
    if typed is None:
        folder = _folder_of_module(parsed, root) or here
        return PlacedEntrypoint(entrypoint=parsed, folder=folder, root=root)
    # The links of the way to the file are followed, but not the file's own: it runs under its own name.
    absolute = Path(os.path.normpath(here / typed))
    file = absolute.parent.resolve() / absolute.name
    if not file.is_relative_to(root):
        raise _refusal(f"{typed} is outside of the repository {root}.")
    if checkout and wish.on_disk and not file.is_file():
        raise _refusal(f"There is no file {typed} here.")
    relative = file.relative_to(root).as_posix()
    return PlacedEntrypoint(entrypoint=_with_path(parsed, relative), folder=file.parent, root=root)


def environment_of(wish: RunWish, placed: PlacedEntrypoint, environ: Mapping[str, str]) -> Environment:
    """Return the run's environment, saying on stderr which file it is from.

    Raises:
        InvalidInputError: a file or an option is not valid.
    """
    dependencies = _dependencies(wish, placed)
    if dependencies.origin:
        count = len(dependencies.requirements)
        screen.say(f"Dependencies: {count} from {os.path.relpath(dependencies.origin)}.")
    version = (
        check_python_version(wish.python_version, "--python")
        if wish.python_version
        else find_python_version(placed.folder, placed.root)
    )
    return Environment(
        python_version=version,
        dependencies=dependencies.requirements,
        environment_variables=read_assignments(wish.variables, environ) or None,
    )


def _dependencies(wish: RunWish, placed: PlacedEntrypoint) -> Dependencies:
    if wish.dependencies_from:
        read = read_dependencies(wish.dependencies_from)
        typed = given_dependencies(wish.dependencies)
        return Dependencies(requirements=[*read.requirements, *typed.requirements], origin=read.origin)
    if wish.dependencies:
        return given_dependencies(wish.dependencies)
    return find_dependencies(placed.folder, placed.root)


def _path_in(entrypoint: Entrypoint) -> str | None:
    if entrypoint.file:
        return entrypoint.file.file_path
    if entrypoint.function and is_path(entrypoint.function.module):
        return entrypoint.function.module
    return None


def _with_path(entrypoint: Entrypoint, path: str) -> Entrypoint:
    if entrypoint.file:
        return Entrypoint(file=msgspec.structs.replace(entrypoint.file, file_path=path))
    if entrypoint.function:
        return Entrypoint(function=msgspec.structs.replace(entrypoint.function, module=path))
    return entrypoint


def _folder_of_module(entrypoint: Entrypoint, root: Path) -> Path | None:
    """Return the folder that a module of the repository lies in, for what is declared beside it."""
    named = entrypoint.module or entrypoint.function
    if named is None:
        return None
    path = root.joinpath(*named.module.split("."))
    if path.is_dir():
        return path
    return path.parent if path.with_suffix(".py").is_file() else None


def warn_of_misplaced_options(arguments: Sequence[str], *, before: str = "ENTRYPOINT") -> None:
    """Say which of a program's arguments look like options of daftray's own."""
    for argument in arguments:
        if argument == "--":
            return
        if _OUR_OPTIONS.fullmatch(argument):
            option = argument.partition("=")[0]
            screen.say(f"note: {option} goes to your program; put it before {before} to mean daftray's own.")


def _refusal(message: str) -> InvalidInputError:
    return InvalidInputError(message, issues=(InputIssue(path="entrypoint", message=message),))
