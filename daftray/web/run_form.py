"""What a filled-in form asks for: a run. Arguments stay text: the runner makes of it what annotations say."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import RunRequest
from daftray.web.forms import Form

ARGUMENT = "arg."
"""What the names of fields for a function's arguments begin with."""
_POSITIONAL, _REST = "arg-positional.", "arg-rest."
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def request_of(form: Form) -> RunRequest:
    """Return the run that a form asks for.

    Raises:
        InvalidInputError: with every issue of its form.
    """
    asked: dict[str, Any] = {  # fields of a request, before they are checked
        "entrypoint": _entrypoint(form),
        "source": {"git": _revision(form.get("ref").strip())},
        "environment": {
            "python_version": form.get("python_version").strip(),
            "dependencies": _lines(form.get("dependencies")),
            "environment_variables": _pairs("variables", form.get("variables")) or None,
        },
        "name": form.get("name").strip() or None,
        "labels": _pairs("labels", form.get("labels")),
    }
    try:
        return msgspec.convert(asked, RunRequest)
    except msgspec.ValidationError as exc:
        raise InvalidInputError(f"The run cannot be created as asked: {exc}") from exc


def _entrypoint(form: Form) -> dict[str, Any]:
    kind, path = form.get("kind"), form.get("path").strip()
    if kind == "file":
        return {"file": {"file_path": path, "argv": _lines(form.get("argv")) or None}}
    if kind == "module":
        return {"module": {"module": path, "argv": _lines(form.get("argv")) or None}}
    named = {
        name.removeprefix(ARGUMENT): form.get(name)
        for name in form.names
        if name.startswith(ARGUMENT) and form.get(name)
    }
    ordered = [form.get(name) for name in form.names if name.startswith(_POSITIONAL) and form.get(name)]
    rest = [line for name in form.names if name.startswith(_REST) for line in _lines(form.get(name))]
    named |= _pairs("arguments", form.get("arguments"))
    function = {"module": path, "symbol": form.get("symbol").strip()}
    return {"function": {**function, "args": [*ordered, *rest] or None, "kwargs": named or None}}


def _revision(ref: str) -> dict[str, str]:
    if not ref:
        return {}
    return {"hash": ref} if _COMMIT.fullmatch(ref) else {"ref": ref}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pairs(path: str, text: str) -> dict[str, str]:
    lines = _lines(text)
    if not all("=" in line for line in lines):
        issue = InputIssue(path=path, message="give name=value, one on each line")
        raise InvalidInputError("The run cannot be created as asked.", issues=(issue,))
    pairs = (line.split("=", 1) for line in lines)
    return {name.strip(): value.strip() for name, value in pairs}
