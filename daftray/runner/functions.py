"""A function of the user's, found by name, called with converted arguments, awaited where it is async."""

from __future__ import annotations

import inspect
import os
import sys

from daftray.runner import arguments, connections, lookup, scripts
from daftray.runner.ending import EntrypointNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def call(
    name: str, part: Mapping[str, Any], secrets: Mapping[str, str], fetch: Callable[[], object]
) -> object:
    """Call a function entrypoint and return what it returns.

    Args:
        name: the module's name for Python's import system.
        part: ``module`` (a dotted name, or a path that ends in ``.py``), ``symbol``, ``args`` and ``kwargs``.
        secrets: the run's secrets, which data sources and catalogs are opened with.
        fetch: asks the control plane for the project's data sources and catalogs.

    Raises:
        EntrypointNotFoundError: the module or the function is not there.
        ArgumentsInvalidError: the arguments do not fit; the message lists every one that does not.
    """
    connections.use(connections.Connections(secrets, fetch))
    where = str(part["module"])
    if where.endswith(".py") and not os.path.isfile(where):
        raise EntrypointNotFoundError(lookup.no_file(where))
    if not where.endswith(".py"):
        scripts.find(name)
    sys.argv[:] = [where if where.endswith(".py") else "-c"]
    scripts.new_main(None)
    __import__(name)
    function = find(sys.modules[name], str(part["symbol"]), where)
    args, kwargs = arguments.bind(function, list(part.get("args") or ()), dict(part.get("kwargs") or {}))
    value = function(*args, **kwargs)
    return _awaited(value) if inspect.isawaitable(value) else value


def find(module: object, symbol: str, where: str) -> Callable[..., object]:
    """Return a module's function, or a class's static or class method (``Class.method``).

    Raises:
        EntrypointNotFoundError: it is not there, is not callable, or needs an object to be called on.
    """
    owner, name = module, where
    *path, last = symbol.split(".")
    for each in path:
        owner, name = _attribute(owner, each, symbol=symbol, where=name), f"{name}:{each}"
    found = _attribute(owner, last, symbol=symbol, where=name)
    if not callable(found):
        raise EntrypointNotFoundError(
            f"{symbol} in {where} is not a function: it is of type {type(found).__name__}."
        )
    if inspect.isclass(owner) and inspect.isfunction(inspect.getattr_static(owner, last)):
        raise EntrypointNotFoundError(
            f"{symbol} in {where} needs an object to be called on. "
            "Make it a static or class method, or write a function that makes the object and calls it."
        )
    return found


def _attribute(owner: object, name: str, *, symbol: str, where: str) -> object:
    try:
        return getattr(owner, name)
    except AttributeError:
        raise EntrypointNotFoundError(lookup.no_symbol(symbol, name, owner, where)) from None


def _awaited(value: Any) -> object:
    import asyncio

    async def wait() -> Any:
        return await value

    return asyncio.run(value if inspect.iscoroutine(value) else wait())
