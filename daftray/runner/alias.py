"""A name for a file that Python's import system has none for, such as ``jobs/2024-report.py``.

A function of a file is called by importing the file under the name that its path gives it. Workers
unpickle the user's functions and classes by that name, so it must mean the same file everywhere: where
the path gives no name, or another file has it, the file gets one of its own, and every process of the
run learns it by ``DAFTRAY_ALIAS``.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import keyword
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PREFIX = "daftray_entry_"


class Alias:
    """Finds one module, by a name that is ours to give. ``path`` is relative to the working directory."""

    def __init__(self, name: str, path: str) -> None:
        self._name = name
        self._path = path

    @classmethod
    def read(cls, text: str) -> Alias:
        """Return the alias that `__str__` wrote."""
        name, _, path = text.partition("=")
        return cls(name, path)

    def __str__(self) -> str:
        return f"{self._name}={self._path}"

    def install(self) -> None:
        """Let this process import it."""
        self._path = os.path.abspath(self._path)
        sys.meta_path.append(self)

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module, for Python's import system."""
        del path, target
        return importlib.util.spec_from_file_location(name, self._path) if name == self._name else None


def resolve(path: str, search: list[str]) -> tuple[str, Alias | None]:
    """Return the name to import a ``.py`` file by, and the alias where the name is not its own.

    Nothing is imported to find out.
    """
    name = _natural_name(path)
    if name is not None and _means(name, path, search):
        return name, None
    stem = os.path.basename(path).removesuffix(".py")
    name = _PREFIX + "".join(letter if letter.isalnum() else "_" for letter in stem)
    return name, Alias(name, path)


def _natural_name(path: str) -> str | None:
    parts = os.path.normpath(path).removesuffix(".py").split(os.sep)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    ok = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return ".".join(parts) if ok else None


def _means(name: str, path: str, search: list[str]) -> bool:
    """Whether importing a name would load this file, as far as the path-based finder decides."""
    parts = name.split(".")
    loaded = sys.modules.get(parts[0])
    if loaded is not None and not _is_below(loaded, path):
        return False
    locations: list[str] | None = search
    spec = None
    for depth in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:depth]), locations)
        if spec is None:
            return False
        locations = spec.submodule_search_locations and list(spec.submodule_search_locations)
    if spec is None or not spec.origin:
        return False
    return os.path.realpath(spec.origin) == os.path.realpath(path)


def _is_below(module: ModuleType, path: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and os.path.dirname(os.path.realpath(path)).startswith(
        os.path.dirname(os.path.realpath(file))
    )
