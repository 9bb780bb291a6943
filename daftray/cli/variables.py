"""Environment variables (``--env``) and a run's secrets (``--env-file``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from daftray.domain.errors import InputIssue, InvalidInputError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_assignments(texts: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that ``NAME=VALUE`` texts set; ``NAME`` alone takes this process's value.

    Raises:
        InvalidInputError: a name is none, or has no value here.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not _NAME.fullmatch(name):
            raise _refusal("--env", f"{name!r} is no environment variable's name: write NAME=VALUE.")
        if not equals and name not in environ:
            raise _refusal("--env", f"{name} is not set here: write {name}=VALUE.")
        found[name] = value if equals else environ[name]
    return found


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values of an env file, exactly as they are written: nothing is expanded in a secret.

    Raises:
        InvalidInputError: the file cannot be read, or a line sets nothing. Its text is never quoted.
    """
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, ValueError) as exc:
        raise _refusal("--env-file", f"{path} cannot be read ({type(exc).__name__}).") from None
    found: dict[str, str] = {}
    for binding in bindings:
        if not binding.error and binding.key is None:
            continue
        text = binding.original.string
        blank_lines = text[: len(text) - len(text.lstrip())].count("\n")
        where = f"line {binding.original.line + blank_lines} of {path}"
        if binding.error or binding.value is None or not _NAME.fullmatch(binding.key or ""):
            raise _refusal("--env-file", f"{where} is not NAME=VALUE.")
        found[binding.key or ""] = binding.value
    return found


def read_labels(texts: Sequence[str]) -> dict[str, str]:
    """Return the labels that ``NAME=VALUE`` texts say.

    Raises:
        InvalidInputError: a text is no such pair.
    """
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise _refusal("--label", "write labels as NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _refusal(where: str, message: str) -> InvalidInputError:
    return InvalidInputError(f"{where}: {message}", issues=(InputIssue(path=where, message=message),))
