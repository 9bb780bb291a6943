"""Says what is there, where what a run asks for is not."""

from __future__ import annotations

import difflib
import os
import pkgutil
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MAX_NAMED = 10
MAX_FILES_SEEN = 5000
_HIDDEN = (".", "__pycache__")


def no_file(path: str) -> str:
    """Return the message for a file that is not there."""
    if os.path.isdir(path):
        return f"{path} is a folder. Name a .py file in it, or run it as a module."
    known = list(_python_files())
    return f"There is no file {path} in the run's source.{_offer(path, known, near=_same_name(path, known))}"


def no_module(name: str, missing: str) -> str:
    """Return the message for a module that is not there; ``missing`` is the first part of it that is not."""
    package = missing.rpartition(".")[0]
    paths = getattr(sys.modules.get(package), "__path__", None) if package else [os.getcwd()]
    known = [f"{package}.{each.name}" if package else each.name for each in pkgutil.iter_modules(paths)]
    where = f" in {package}" if package else " in the run's source or its environment"
    what = name if name == missing else f"{missing} (of {name})"
    return f"There is no module {what}{where}.{_offer(missing, known)}"


def no_symbol(symbol: str, missing: str, owner: object, owner_name: str) -> str:
    """Return the message for a function that is not there. ``owner`` is the module or class that lacks it."""
    names = [
        name
        for name, value in vars(owner).items()
        if callable(value) and not name.startswith("_") and _is_from(value, owner)
    ]
    what = missing if symbol == missing else f"{missing} (of {symbol})"
    return f"There is no function {what} in {owner_name}.{_offer(missing, names)}"


def close_to(name: str, known: Iterable[str]) -> str:
    """Return a question that names what was probably meant, as an ending of a sentence."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _offer(name: str, known: list[str], near: list[str] | None = None) -> str:
    near = near or difflib.get_close_matches(name, known, n=1)
    if near:
        return f" Did you mean {' or '.join(near)}?"
    if not known:
        return " There is nothing like it there."
    shown = sorted(known)[:MAX_NAMED]
    more = f", and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f" There is: {', '.join(shown)}{more}."


def _is_from(value: object, owner: Any) -> bool:
    module: str | None = (
        owner.__name__ if isinstance(owner, type(sys)) else getattr(owner, "__module__", None)
    )
    return getattr(value, "__module__", module) == module


def _same_name(path: str, known: list[str]) -> list[str]:
    name = os.path.basename(path)
    return [each for each in known if os.path.basename(each) == name][:3]


def _python_files() -> Iterable[str]:
    seen = 0
    for folder, folders, files in os.walk("."):
        folders[:] = sorted(each for each in folders if not each.startswith(_HIDDEN))
        for file in sorted(files):
            seen += 1
            if seen > MAX_FILES_SEEN:
                return
            if file.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, file))
