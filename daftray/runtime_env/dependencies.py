"""A run's dependencies: PEP 508 lines, in one canonical form, so that equal lists share one environment.

Ray names an installed environment by the hash of its list of packages. Lists that mean the same must
therefore read the same: canonical names (PEP 503), sorted extras, specifiers and lines, and each
requirement once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from daftray.domain.errors import DependenciesInvalidError, InputIssue

PATH = "environment.dependencies"
_COMMENT = re.compile(r"(^|\s)#.*$")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LOCAL = re.compile(r"^(\.{0,2}/|\.{1,2}$|~|[A-Za-z]:\\|file:)|\.(whl|zip|tar\.gz|tgz)$")
_LONGEST_SHOWN = 100
MOST_LINES = 2000
LONGEST_LINE = 2000
"""Characters. Reading a line takes time that grows with the square of its length."""
_SCHEMES = frozenset({"https", "http", "git+https", "git+http", "git+ssh"})


class _BadLineError(Exception):
    """A line that cannot be used; its text says why."""


def normalise(lines: Sequence[str]) -> list[str]:
    """Return the requirements in canonical form: merged, sorted, without comments and empty lines.

    Lines of the same package under the same marker are merged into one; normalising twice changes nothing.

    Raises:
        DependenciesInvalidError: with an issue at ``environment.dependencies[i]`` for each bad line.
    """
    if len(lines) > MOST_LINES:
        issue = InputIssue(path=PATH, message=f"list at most {MOST_LINES} requirements")
        raise DependenciesInvalidError(_sentence([issue]), issues=(issue,))
    issues: list[InputIssue] = []
    merged: dict[tuple[str, str], Requirement] = {}
    for index, line in enumerate(lines):
        try:
            requirement = _parsed(line)
            if requirement is None:
                continue
            key = (requirement.name, str(requirement.marker or ""))
            merged[key] = _merged(merged[key], requirement) if key in merged else requirement
        except _BadLineError as exc:
            issues.append(InputIssue(path=f"{PATH}[{index}]", message=str(exc)))
    if issues:
        raise DependenciesInvalidError(_sentence(issues), issues=tuple(issues))
    return sorted(_canonical(requirement) for requirement in merged.values())


def _parsed(line: str) -> Requirement | None:
    """Return a line's requirement, with its canonical name; nothing for a line that holds none."""
    if len(line) > LONGEST_LINE:
        raise _BadLineError(f"it is longer than {LONGEST_LINE} characters")
    if _CONTROL.search(line.rstrip("\r\n")):
        raise _BadLineError("it holds a line break or another control character: give one requirement a line")
    text = _COMMENT.sub("", line).strip()
    if not text:
        return None
    if text.startswith("-"):
        raise _BadLineError(
            f"{_shown(text)} is an option of an installer, not a requirement: list the requirements "
            "themselves; an index is set on the cluster, or by UV_INDEX_URL or PIP_INDEX_URL in the "
            "run's environment variables"
        )
    if "@" not in text and _LOCAL.search(text):
        raise _BadLineError(f"{_shown(text)} is a local path, which the cluster does not have")
    try:
        requirement = Requirement(text)
        requirement.name = canonicalize_name(requirement.name)
        requirement.extras = {canonicalize_name(extra) for extra in requirement.extras}
    except RecursionError as exc:
        raise _BadLineError(f"{_shown(text)} is nested too deeply") from exc
    except InvalidRequirement as exc:
        reason = str(exc).split("\n", 1)[0]
        raise _BadLineError(f"{_shown(text)} is no PEP 508 requirement: {reason}") from exc
    if requirement.url is not None:
        _check_url(requirement.url)
    _check_satisfiable(requirement)
    return requirement


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, user, password = parts.hostname, parts.username, parts.password
    except ValueError as exc:
        raise _BadLineError("its URL cannot be read") from exc
    if parts.scheme not in _SCHEMES or not host:
        raise _BadLineError(
            f"its URL has the scheme {parts.scheme or 'of a local path'!r}: use https or git+https"
        )
    if password is not None or (user is not None and parts.scheme != "git+ssh"):
        raise _BadLineError(
            "its URL holds credentials, which would end up in Ray's metadata: publish the package on an "
            "index, or add it to the repository as a submodule with a project secret"
        )


def _merged(first: Requirement, second: Requirement) -> Requirement:
    if first.url != second.url:
        raise _BadLineError(
            f"{first.name} is asked for twice, in ways that exclude each other: {_canonical(first)} "
            f"and {_canonical(second)}"
        )
    merged = Requirement(str(first))
    merged.extras = first.extras | second.extras
    merged.specifier = first.specifier & second.specifier
    _check_satisfiable(merged)
    return merged


def _check_satisfiable(requirement: Requirement) -> None:
    if requirement.specifier.is_unsatisfiable():
        raise _BadLineError(
            f"no version can be all of {_canonical(requirement)}: give one range or one version"
        )


def _canonical(requirement: Requirement) -> str:
    """Return the one text of a requirement (`Requirement` sorts extras and specifiers itself)."""
    return str(requirement)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def _sentence(issues: Iterable[InputIssue]) -> str:
    return "The dependencies cannot be used: " + "; ".join(f"{one.path}: {one.message}" for one in issues)
