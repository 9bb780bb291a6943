"""Where the user's code imports from, and how the runner keeps out of its way.

A folder of the user's comes before the standard library on ``sys.path``, as with plain Python, so a
``queue.py`` of theirs *is* ``queue`` to their program. It must be so even though the runner has loaded
Python's, and the runner must find Python's even though their ``types.py`` is there.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


class UserImports:
    """The imports of one program.

    Args:
        first: the folders that plain Python puts first, for this kind of program.
        path: the rest of the ``sys.path`` that plain Python would have.
        loaded: the modules that plain Python would have loaded by now.

    ``root`` is the run's folder: where it starts, whatever its code changes to later.
    """

    def __init__(self, first: Iterable[str], path: Iterable[str], loaded: Iterable[str]) -> None:
        self.path = [*first, *path]
        self.root = os.getcwd()
        self._library = list(sys.path)
        self._loaded = frozenset(loaded)
        self._shadowing: frozenset[str] = frozenset()

    def enter(self) -> None:
        """Import as the user's program does, from now on."""
        folders = {os.path.abspath(folder) for folder in self.path} - set(self._library)
        self._shadowing = frozenset(
            name for folder in folders for name in _names(folder) if name in sys.stdlib_module_names
        )
        sys.path[:] = self.path
        self._take()

    def aside(self) -> Aside:
        """Return a context in which the runner may import from the standard library."""
        return Aside(self)

    def leave(self) -> tuple[list[str], dict[str, ModuleType]]:
        """Import as the runner does; return what `resume` needs."""
        path = sys.path[:]
        sys.path[:] = self._library
        return path, self._take()

    def resume(self, path: list[str], theirs: dict[str, ModuleType]) -> None:
        """Import as the user's program did before `leave`."""
        self._take()
        sys.modules.update(theirs)
        sys.path[:] = path

    def _take(self) -> dict[str, ModuleType]:
        """Remove the modules that the user has their own of; Python then loads each from where it looks."""
        return {
            name: sys.modules.pop(name)
            for name in list(sys.modules)
            if name.partition(".")[0] in self._shadowing and name not in self._loaded
        }


class Aside:
    """Lets the runner import while the user's program is under way."""

    def __init__(self, imports: UserImports) -> None:
        self._imports = imports

    def __enter__(self) -> None:
        self._before = self._imports.leave()

    def __exit__(self, *_: object) -> None:
        self._imports.resume(*self._before)


def _names(folder: str) -> set[str]:
    try:
        return {entry.partition(".")[0] for entry in os.listdir(folder)}
    except OSError:
        return set()
