"""The user's program: what it is, where it imports from, and running it as plain Python would."""

from __future__ import annotations

import os
import sys

from daftray.runner import ending, frames, scripts
from daftray.runner.alias import Alias, resolve
from daftray.runner.ending import NOTHING, ArgumentsInvalidError, EntrypointNotFoundError
from daftray.runner.imports import UserImports
from daftray.runner.say import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any

    from daftray.runner.ending import Ending


class Program:
    """A file, module or function that is to run once, in this process.

    Args:
        entrypoint: ``{"file": {…}}``, or ``module`` or ``function`` (``daftray/domain/spec.py``).
        path: the ``sys.path`` that plain Python would have, without its first entry.
        loaded: the modules that plain Python would have loaded.
        secrets: the run's secrets by name.
        fetch: asks the control plane for the project's data sources and catalogs.
    """

    def __init__(
        self,
        entrypoint: dict[str, dict[str, Any] | None],
        *,
        path: list[str],
        loaded: Iterable[str],
        secrets: Mapping[str, str] | None = None,
        fetch: Callable[[], object] = dict,
    ) -> None:
        given = [(kind, part) for kind, part in entrypoint.items() if part is not None]
        if len(given) != 1 or given[0][0] not in {"file", "module", "function"}:
            raise ValueError(f"the entrypoint is not one of file, module and function: {sorted(entrypoint)}")
        self._kind, self._part = given[0]
        self._secrets = secrets or {}
        self._fetch = fetch
        self._root = os.getcwd()
        self._first = self._first_folders()
        self.imports = UserImports(self._first, path, loaded)
        self.alias: Alias | None = None
        if self._kind == "function" and str(self._part["module"]).endswith(".py"):
            self._name, self.alias = resolve(str(self._part["module"]), self.imports.path)
        else:
            self._name = str(self._part.get("module"))

    def _first_folders(self) -> list[str]:
        """Return what plain Python puts first on ``sys.path``: a script's folder, else the current one."""
        if self._kind == "file":
            return [_folder(str(self._part["file_path"]))]
        folder = (
            _folder(str(self._part["module"])) if str(self._part["module"]).endswith(".py") else self._root
        )
        # A function in a folder's file finds the root's modules and, as `python FILE` would, its neighbours.
        return [self._root] if folder == os.path.realpath(self._root) else [self._root, folder]

    @property
    def import_from(self) -> str | None:
        """The folder, from the working directory, that workers must import from too; None where they do."""
        relative = os.path.relpath(self._first[-1], os.path.realpath(self._root))
        return None if relative == "." or relative.startswith("..") else relative

    def run(self) -> Ending:
        """Run it to its end, whatever that is, and print what Python would print."""
        try:
            self.imports.enter()
            if self.alias is not None:
                self.alias.install()
            return ending.returned(self._call())
        except SystemExit as error:
            end, text = ending.exited(error)
            if text is not None:
                print(text, file=sys.stderr)
            return end
        except EntrypointNotFoundError as error:
            return _misused("entrypoint_not_found", error)
        except ArgumentsInvalidError as error:
            return _misused("arguments_invalid", error)
        except BaseException as error:
            return failed(error, self.imports)

    def _call(self) -> object:
        if self._kind == "function":
            with self.imports.aside():
                from daftray.runner.functions import call  # scripts need nothing of what it imports
            return call(self._name, self._part, self._secrets, self._fetch)
        argv = [str(each) for each in self._part.get("argv") or ()]
        if self._kind == "file":
            scripts.run_file(str(self._part["file_path"]), argv)
        else:
            scripts.run_module(self._name, argv)
        return NOTHING


def failed(error: BaseException, imports: UserImports) -> Ending:
    """Print an exception that nobody handled as Python would, by ``sys.excepthook``, without our frames."""
    traceback = frames.strip(error.__traceback__)
    error.__traceback__ = traceback
    with imports.aside():
        end = ending.raised(error, imports.root)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    sys.__dict__["last_exc"] = error  # since Python 3.12
    _print(error, traceback)
    return end


def _print(error: BaseException, traceback: TracebackType | None) -> None:
    hook = sys.excepthook
    try:
        hook(type(error), error, traceback)
    except BaseException as failure:  # a hook of the user's: these words are Python's own
        print("Error in sys.excepthook:", file=sys.stderr)
        failure.__context__ = None
        failure.__traceback__ = frames.strip(failure.__traceback__)
        sys.__excepthook__(type(failure), failure, failure.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, traceback)


def _misused(outcome: str, error: Exception) -> Ending:
    say(str(error))
    return ending.Ending(outcome, ending.USAGE_EXIT_CODE, detail=str(error))


def _folder(file: str) -> str:
    return os.path.dirname(os.path.realpath(file))
