"""Find the Python interpreter that the environment is built with.

A candidate counts only after it has been run: shims of version managers fail when called, Debian's own
Python comes without ``ensurepip``, and a home-built one may lack ``ssl`` or ``sqlite3``.

Python 3.8 must be able to run this file (see bootstrap.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PREFERRED = ((3, 12), (3, 13), (3, 11))
OLDEST = (3, 11)
PROBE_TIMEOUT_S = 20

_PROBE = """
import importlib, json, platform, sys, sysconfig
cpython = platform.python_implementation() == "CPython"
missing = []
for name in ("ensurepip", "venv", "ssl", "sqlite3", "zlib"):
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
json.dump({
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(sys.version_info[:3]),
    "cpython": cpython and not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "missing": missing,
}, sys.stdout)
"""

_NAMES = ("python3.12", "python3.13", "python3.11", "python3", "python3.14", "python3.15", "python")

# Where version managers and packagers put interpreters that PATH does not name.
_FOLDERS = (
    "$PYENV_ROOT/versions/*/bin",
    "~/.pyenv/versions/*/bin",
    "$ASDF_DATA_DIR/installs/python/*/bin",
    "~/.asdf/installs/python/*/bin",
    "$MISE_DATA_DIR/installs/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin",
    "$UV_PYTHON_INSTALL_DIR/*/bin",
    "~/.local/share/uv/python/*/bin",
    "$CONDA_PREFIX/bin",
    "~/miniconda3/bin",
    "~/miniforge3/bin",
    "~/anaconda3/bin",
    "/opt/conda/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/Library/Frameworks/Python.framework/Versions/*/bin",
)


class Interpreter(NamedTuple):
    """A Python that runs and has what an environment needs."""

    executable: str
    version: tuple[int, int, int]

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version."""
        return self.version[:2]

    def __str__(self) -> str:
        """Return the version, as people write it."""
        return ".".join(str(part) for part in self.version)


class UnusableError(Exception):
    """A candidate that cannot be used; the message says why."""


class NoInterpreterError(Exception):
    """No candidate can be used; the message says what to install."""


def probe(candidate: str) -> Interpreter:
    """Run a candidate and return what it is.

    Raises:
        UnusableError: it does not run, is too old, or lacks a module of the standard library.
    """
    try:
        answer = subprocess.run(
            [candidate, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise UnusableError(f"does not run ({exc})") from exc
    if answer.returncode != 0:
        raise UnusableError(f"does not run (exit code {answer.returncode})")
    try:
        facts = json.loads(answer.stdout)
        interpreter = Interpreter(facts["executable"], tuple(facts["version"]))
    except (ValueError, KeyError, TypeError) as exc:
        raise UnusableError("does not answer as a Python does") from exc
    if interpreter.minor < OLDEST:
        raise UnusableError(f"is Python {interpreter}, older than {_dotted(OLDEST)}")
    if not facts["cpython"]:
        raise UnusableError("is not the usual CPython build, for which Ray and Daft are published")
    if facts["missing"]:
        raise UnusableError(f"lacks {', '.join(facts['missing'])}" + _remedy(facts["missing"], interpreter))
    return interpreter


def candidates(root: Path) -> Iterator[str]:
    """Yield paths that may be an interpreter, each once, those of PATH first, never the environment's own."""
    seen: set[str] = set()
    for path in [*_on_path(), *_in_folders()]:
        if path not in seen and (root / ".venv") not in Path(path).parents:
            seen.add(path)
            yield path


def choose(paths: Iterable[str]) -> Interpreter:
    """Return the best of the candidates: 3.12, 3.13, 3.11, then whatever is newer.

    Raises:
        NoInterpreterError: with each candidate that looked like one and the reason against it.
    """
    found: dict[tuple[int, int], Interpreter] = {}
    refused: list[str] = []
    for path in paths:
        try:
            interpreter = probe(path)
        except UnusableError as exc:
            refused.append(f"{path} {exc}")
            continue
        found.setdefault(interpreter.minor, interpreter)
        if PREFERRED[0] in found:
            break
    for minor in (*PREFERRED, *sorted(found)):
        if minor in found:
            return found[minor]
    raise NoInterpreterError(
        "no usable Python 3.11 or newer was found. Install Python 3.12 (Debian, Ubuntu: apt install python3 "
        "python3-venv; macOS: brew install python@3.12), or name one: PYTHON=/path/to/python make …"
        + "".join(f"\n  {reason}" for reason in refused)
    )


def _on_path() -> Iterator[str]:
    # Every PATH entry, not the first hit only: a failing shim often stands before a Python that works.
    for name in _NAMES:
        for folder in os.get_exec_path():
            found = shutil.which(name, path=folder)
            if found:
                yield str(Path(found).absolute())


def _in_folders() -> Iterator[str]:
    for pattern in _FOLDERS:
        expanded = os.path.expanduser(os.path.expandvars(pattern))  # noqa: PTH111 (Path has no expandvars)
        if "$" in expanded or expanded.startswith("~"):
            continue
        anchor = Path(expanded).anchor
        for folder in sorted(Path(anchor).glob(expanded[len(anchor) :]), reverse=True):
            for name in _NAMES:
                if os.access(folder / name, os.X_OK):
                    yield str(folder / name)


def _remedy(missing: list[str], interpreter: Interpreter) -> str:
    if "ensurepip" in missing or "venv" in missing:
        return f" (Debian, Ubuntu: apt install python{_dotted(interpreter.minor)}-venv)"
    return ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
