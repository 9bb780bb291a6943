"""Files and modules, run as ``python FILE`` and ``python -m MODULE`` run them."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import os
import sys

from daftray.runner.ending import EntrypointNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType
    from typing import Any


def run_file(path: str, argv: list[str]) -> None:
    """Run a file as ``__main__``, as ``python PATH ARGV…`` does.

    Raises:
        EntrypointNotFoundError: there is no such file.
    """
    full = os.path.abspath(path)
    if not os.path.isfile(full):
        from daftray.runner import lookup

        raise EntrypointNotFoundError(lookup.no_file(path))
    sys.argv[:] = [path, *argv]
    loader = importlib.machinery.SourceFileLoader("__main__", full)
    with io.open_code(full) as file:
        source = file.read()
    main = new_main(full, loader=loader)
    exec(compile(source, full, "exec", dont_inherit=True), main)  # noqa: S102 (that is what a run is)


def run_module(name: str, argv: list[str]) -> None:
    """Run a module as ``__main__``, as ``python -m NAME ARGV…`` does.

    Raises:
        EntrypointNotFoundError: there is no such module, or a package without ``__main__``.
    """
    spec = find(name)
    if spec.submodule_search_locations is not None:
        __import__(name)
        package, name = name, f"{name}.__main__"
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise EntrypointNotFoundError(
                f"{package} is a package without a __main__ module, so it cannot be run. Name a module in it."
            )
    code = _code(spec)
    sys.argv[:] = [spec.origin or name, *argv]
    exec(code, new_main(spec.origin, spec=spec))  # noqa: S102


def find(name: str) -> ModuleSpec:
    """Find a module by its dotted name, importing the packages above it on the way.

    What those packages raise is the user's, also where they lack a module of their own.

    Raises:
        EntrypointNotFoundError: it is not there.
    """
    parts = name.split(".")
    spec = None
    for depth in range(1, len(parts) + 1):
        prefix = ".".join(parts[:depth])
        try:
            spec = importlib.util.find_spec(prefix) if all(parts[:depth]) else None
        except ValueError:  # it is loaded, and has no spec: such as __main__
            spec = None
        if spec is None or (depth < len(parts) and spec.submodule_search_locations is None):
            from daftray.runner import lookup

            raise EntrypointNotFoundError(
                lookup.no_module(name, prefix if spec is None else f"{prefix}.{parts[depth]}")
            )
        if depth < len(parts):
            __import__(prefix)
    assert spec is not None  # noqa: S101 (split gives at least one part)
    return spec


def new_main(file: str | None, *, loader: object = None, spec: ModuleSpec | None = None) -> dict[str, object]:
    """Put a fresh ``__main__`` in place, from which things pickle as from a script. Returns its namespace."""
    main = type(sys)("__main__")
    namespace = main.__dict__
    namespace["__builtins__"] = sys.modules["builtins"]
    namespace["__spec__"] = spec
    namespace["__loader__"] = spec.loader if spec is not None else loader
    namespace["__package__"] = spec.parent if spec is not None else None
    if file is not None:
        namespace["__file__"] = file
        namespace["__cached__"] = spec.cached if spec is not None else None
    sys.modules["__main__"] = main
    return namespace


def _code(spec: ModuleSpec) -> CodeType:
    loader: Any = spec.loader  # inspect loaders have get_code, which importlib's type of a loader lacks
    code: CodeType | None = loader.get_code(spec.name) if loader is not None else None
    if code is None:
        raise EntrypointNotFoundError(f"{spec.name} has no Python code to run ({spec.origin}).")
    return code
