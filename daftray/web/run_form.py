"""What a filled-in form asks for: a run, or what is other than in one that there was.

Arguments stay text, but where they stand for a value that there was: the runner makes of them what
annotations say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import RunRequest
from daftray.runs.requests import misfit
from daftray.web.amounts import decimal, seconds, size, whole
from daftray.web.argument_checks import argument_issues
from daftray.web.form_lines import read_lines, read_pairs, refusals
from daftray.web.forms import Form
from daftray.web.prefill import Prefill
from daftray.web.run_arguments import fields_in, gather, spread

ROWS = 3
"""Rows for secrets that a form always has."""
MOST_ROWS = 50
SECRET_NAME, SECRET_VALUE = "secret-name.", "secret-value."
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_Asked = dict[str, Any]  # fields of a request before they are checked


def request_of(form: Form, before: Prefill | None = None) -> RunRequest:
    """Return the run that a form asks for.

    Raises:
        InvalidInputError: with every issue of its form, at a form's field or at a path of the request.
    """
    asked = _asked(form, before or Prefill())
    try:
        return msgspec.convert(asked, RunRequest)
    except msgspec.ValidationError as exc:
        raise misfit(exc) from exc


def overrides_of(form: Form, before: Prefill) -> _Asked:
    """Return the fields of the request that are asked otherwise than prefilled, as the API takes them.

    Raises:
        InvalidInputError: as `request_of`.
    """
    request_of(form, before)
    asked, changed = _asked(form, before), changed_fields(form, before)
    return {
        name: value
        for name, value in asked.items()
        if (value if name == "secrets" else changed & _names(name, form))
    }


def changed_fields(form: Form, before: Prefill) -> set[str]:
    """Return the names of the fields that say something else than they were prefilled with."""
    was = before.over(form)
    return {name for name in {*form.names, *was.names} if before.differs(name, form, was)}


def _names(group: str, form: Form) -> set[str]:
    """Return the form's fields that make one field of the request."""
    own = _GROUPS.get(group, {group})
    return own | set(fields_in(form)) if group == "entrypoint" else own


_GROUPS: dict[str, set[str]] = {
    "entrypoint": {"kind", "path", "symbol", "argv", "positional", "arguments"},
    "source": {"ref", "remote", "directory", "patch", "sent_along"},
    "environment": {"python_version", "dependencies", "variables"},
    "resources": {"num_cpus", "num_gpus", "memory"},
    "retries": {"retries_max", "retries_on", "retries_backoff"},
    "budget": {"budget_tokens", "budget_requests", "budget_usd"},
}


def _asked(form: Form, before: Prefill) -> _Asked:
    """Return the fields of the request. Raises `InvalidInputError` with all that the form alone shows."""
    readers: dict[str, Callable[[], object]] = {
        "entrypoint": lambda: _entrypoint(form, before),
        "source": lambda: _source(form, before),
        "environment": lambda: _environment(form),
        "secrets": lambda: _secrets(form),
        "name": lambda: form.get("name").strip() or None,
        "labels": lambda: read_pairs("labels", form.get("labels")),
        "runner": lambda: form.get("runner") or "ray",
        "resources": lambda: _resources(form),
        "priority": lambda: whole(form, "priority") or 0,
        "queue_timeout_s": lambda: seconds(form, "queue_timeout_s"),
        "start_timeout_s": lambda: seconds(form, "start_timeout_s"),
        "timeout_s": lambda: seconds(form, "timeout_s"),
        "retries": lambda: _retries(form),
        "budget": lambda: _budget(form),
    }
    asked: _Asked = {}
    issues: list[InputIssue] = []
    for name, read in readers.items():
        try:
            asked[name] = read()
        except InvalidInputError as exc:
            issues += exc.issues
    if issues:
        raise refusals(issues)
    return asked


def _entrypoint(form: Form, before: Prefill) -> _Asked:
    kind, path = form.get("kind"), form.get("path").strip()
    if kind == "file":
        return {"file": {"file_path": path, "argv": read_lines(form.get("argv")) or None}}
    if kind == "module":
        return {"module": {"module": path, "argv": read_lines(form.get("argv")) or None}}
    found, issues = gather(form, spread(before.arguments, fields_in(form)))
    if issues := [*issues, *argument_issues(form)]:
        raise refusals(issues)
    function = {"module": path, "symbol": form.get("symbol").strip()}
    return {"function": {**function, "args": found.args or None, "kwargs": found.kwargs or None}}


def _source(form: Form, before: Prefill) -> _Asked:
    ref, remote = form.get("ref").strip(), form.get("remote").strip()
    if directory := form.get("directory").strip():
        return {"directory": {"path": directory}} | ({"git": {"ref": ref}} if ref else {})
    git: _Asked = {"remote": remote}
    if ref:
        git |= {"hash": ref} if _COMMIT.fullmatch(ref) else {"ref": ref}
    if form.get("sent_along"):
        git |= before.sent_along
    if patch := form.get("patch").replace("\r\n", "\n").strip("\n"):
        git["patch"] = f"{patch}\n"
    return {"git": git}


def _environment(form: Form) -> _Asked:
    return {
        "python_version": form.get("python_version").strip(),
        "dependencies": read_lines(form.get("dependencies")),
        "environment_variables": read_pairs("variables", form.get("variables")) or None,
    }


def _secrets(form: Form) -> dict[str, str] | None:
    """Return the run's own secrets; a row without a name is none."""
    found: dict[str, str] = {}
    issues: list[InputIssue] = []
    for row in range(MOST_ROWS):
        name, value = form.get(f"{SECRET_NAME}{row}").strip(), form.get(f"{SECRET_VALUE}{row}")
        if name and not value:
            issues.append(InputIssue(path=f"{SECRET_VALUE}{row}", message="give the value"))
        elif value and not name:
            issues.append(InputIssue(path=f"{SECRET_NAME}{row}", message="give the name"))
        elif name in found:
            issues.append(InputIssue(path=f"{SECRET_NAME}{row}", message="this name is given twice"))
        elif name:
            found[name] = value
    if issues:
        raise refusals(issues)
    return found or None


def _resources(form: Form) -> _Asked | None:
    given = {
        "num_cpus": decimal(form, "num_cpus"),
        "num_gpus": decimal(form, "num_gpus"),
        "memory": size(form, "memory"),
    }
    return given if any(value is not None for value in given.values()) else None


def _retries(form: Form) -> _Asked | None:
    count, backoff = whole(form, "retries_max"), seconds(form, "retries_backoff")
    reasons = [reason for reason in form.all("retries_on") if reason]
    if not count:
        if backoff is None and not reasons:
            return None
        raise refusals([InputIssue(path="retries_max", message="say how often, too")])
    given: _Asked = {"max": count, "on": reasons or None}
    return given if backoff is None else {**given, "backoff": backoff}


def _budget(form: Form) -> _Asked | None:
    given = {
        "tokens": whole(form, "budget_tokens"),
        "requests": whole(form, "budget_requests"),
        "usd": decimal(form, "budget_usd"),
    }
    return given if any(value is not None for value in given.values()) else None
