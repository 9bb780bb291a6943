"""Which Python a run asks for: what ``.python-version`` says, and otherwise the cluster's own."""

from __future__ import annotations

import re
from pathlib import Path

from daftray.cli.dependencies import folders_up
from daftray.domain.errors import InputIssue, PythonVersionError

PYTHON_VERSION_FILE = ".python-version"
_CPYTHON = re.compile(r"(?:cpython[@-]|python)?(?P<version>3\.\d+(?:\.\d+)?)\b.*", re.IGNORECASE | re.DOTALL)


def find_python_version(start: Path, root: Path) -> str:
    """Return the version that the nearest ``.python-version`` names, or "" (the cluster's own).

    Raises:
        PythonVersionError: the file names something else.
    """
    for folder in folders_up(start, root):
        file = folder / PYTHON_VERSION_FILE
        if not file.is_file():
            continue
        lines = [line.strip() for line in file.read_text("utf-8-sig").splitlines()]
        named = next((line for line in lines if line and not line.startswith("#")), "")
        if named:
            return check_python_version(named, str(file))
    return ""


def check_python_version(text: str, origin: str) -> str:
    """Return the version in a text such as ``3.12``, ``3.12.4`` or ``cpython-3.12.4``.

    Raises:
        PythonVersionError: there is none in it.
    """
    found = _CPYTHON.fullmatch(text)
    if found:
        return found["version"]
    message = (
        f"{text!r} ({origin}) is no version of CPython 3: give one such as 3.12, with --python for instance."
    )
    raise PythonVersionError(
        message, issues=(InputIssue(path="environment.python_version", message=message),)
    )
