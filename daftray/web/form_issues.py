"""What is wrong with a form, each at its field; what has no field is said above all of them."""

from __future__ import annotations

import re

import msgspec

from daftray.domain.errors import DependenciesInvalidError, InputIssue, InvalidInputError
from daftray.runtime_env import dependencies
from daftray.web.form_lines import numbered, read_lines

_FIELDS = (
    (r"entrypoint\.(file\.file_path|module\.module|function\.module)", "path"),
    (r"entrypoint\.function\.symbol", "symbol"),
    (r"entrypoint\.function\.(args|kwargs).*", "arguments"),
    (r"entrypoint\.(file|module)\.argv.*", "argv"),
    (r"source\.git\.remote", "remote"),
    (r"source\.git\.(patch|bundle)", "patch"),
    (r"source\.directory.*", "directory"),
    (r"source.*", "ref"),
    (r"environment\.python_version", "python_version"),
    (r"environment\.dependencies.*", "dependencies"),
    (r"environment\.environment_variables.*", "variables"),
    (r"labels.*", "labels"),
    (r"resources\.(\w+)", r"\1"),
    (r"retries\.(max|on|backoff).*", r"retries_\1"),
    (r"budget\.(\w+)", r"budget_\1"),
    (r"budget", "budget_tokens"),
    (r"secrets.*", "secret-name.0"),
)


class LineIssue(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a line of a field; lines count from 1."""

    line: int
    text: str
    message: str


def issues_by_field(error: InvalidInputError | None) -> dict[str, list[str]]:
    """Return the messages of an error by the fields that they are about."""
    found: dict[str, list[str]] = {}
    for issue in error.issues if error else ():
        found.setdefault(_field(issue), []).append(issue.message)
    return found


def dependency_issues(text: str) -> list[LineIssue]:
    """Return what is wrong with the lines of a field of dependencies, as a run with them would be refused."""
    lines = numbered(text)
    try:
        dependencies.normalise(read_lines(text))
    except DependenciesInvalidError as error:
        found = ((re.search(r"\[(\d+)\]$", issue.path), issue.message) for issue in error.issues)
        numbers = [(int(at[1]) if at else 0, message) for at, message in found]
        return [LineIssue(line=lines[at][0], text=lines[at][1], message=message) for at, message in numbers]
    return []


def _field(issue: InputIssue) -> str:
    for pattern, field in _FIELDS:
        if found := re.fullmatch(pattern, issue.path, re.DOTALL):
            return found.expand(field)
    return issue.path
