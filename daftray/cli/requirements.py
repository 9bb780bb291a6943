"""Read a ``requirements.txt`` as far as it lists packages; what it says to pip itself is refused.

The format is pip's (https://pip.pypa.io/en/stable/reference/requirements-file-format/): one requirement a
line, ``#`` comments at a line's start or after a space, a backslash that joins the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from daftray.domain.errors import DependenciesInvalidError, InputIssue

_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_LOOKS_LIKE_A_PLACE = re.compile(r"^(?:\.{0,2}/|[a-z0-9+.-]+://)", re.IGNORECASE)


def read_requirements(path: Path) -> list[str]:
    """Return the requirements of a file, in its order.

    Raises:
        DependenciesInvalidError: with the line of each that cannot be sent.
    """
    issues: list[InputIssue] = []
    found: list[str] = []
    for line_number, line in logical_lines(path.read_text("utf-8-sig")):
        problem = _problem_of(line)
        if problem:
            issues.append(InputIssue(path=f"{path.name}:{line_number}", message=problem))
        else:
            found.append(line)
    if issues:
        raise DependenciesInvalidError(f"{path} cannot be sent as it is.", issues=tuple(issues))
    return found


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, joined and without comments, each with its first line's number."""
    joined, first = "", 0
    for line_number, line in enumerate(text.splitlines(), start=1):
        first = first or line_number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            joined += line[:-1]
            continue
        whole = _COMMENT.sub("", joined + line if not is_comment or not joined else joined).strip()
        if whole:
            yield first, whole
        joined, first = "", 0
    if last := _COMMENT.sub("", joined).strip():
        yield first, last


def check_requirement(text: str) -> str | None:
    """Return what is wrong with a requirement (PEP 508), or nothing."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement as exc:
        return f"{text!r} is no requirement: {str(exc).splitlines()[0]}"
    return None


def _problem_of(line: str) -> str | None:
    if line.startswith(("-r", "--requirement", "-c", "--constraint")):
        return f"{line!r}: write what that file lists here, since only this file is read"
    if line.startswith(("-e", "--editable")):
        return (
            f"{line!r}: the repository's own code is importable in a run without being installed; remove it"
        )
    if line.startswith("-"):
        return f"{line!r}: options of pip are not sent; the server's operator sets the package index"
    if " --hash=" in line:
        return "hashes are not sent; pin versions with == instead"
    if _LOOKS_LIKE_A_PLACE.match(line):
        return f"{line!r}: write it as NAME @ URL"
    return check_requirement(line)
