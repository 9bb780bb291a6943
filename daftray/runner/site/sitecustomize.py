"""Runs at the start of every Python process of a run (Ray puts this folder first on ``PYTHONPATH``).

It must cost nothing where there is nothing to do, and never raise. In the job's supervisor and in Ray's own
processes it does nothing; ``daftray/runner/process.py`` says how a worker knows that it is one.
"""

from __future__ import annotations

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_BOOT = ["-m", "_daftray_boot"]


class PlainPython:
    """What plain Python has at this point, before anything of ours: the driver's boot gives it back."""

    def __init__(self) -> None:
        self.path = list(sys.path)
        self.loaded = frozenset(sys.modules)

    def hide(self, variable: str) -> None:
        """Take the folders of ``PYTHONPATH`` off ``sys.path``, except ours, while the runner loads.

        They come before the standard library: a user's ``types.py`` would be imported in place of Python's.
        """
        hidden = {os.path.abspath(folder) for folder in variable.split(os.pathsep)} - {_HERE}
        sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) not in hidden]


def _start_in_worker() -> None:
    """Start the runner in a worker of a run, or in a process below one. What goes wrong stays in here."""
    kind = os.environ.get("DAFTRAY_PROCESS")
    if kind is None or "DAFTRAY_RUN_ID" not in os.environ:
        return
    try:
        from daftray.runner import process

        process.join(kind, os.environ)
    except Exception as error:
        sys.stderr.write(f"daftray: this process reports nothing: {type(error).__name__}: {error}\n")


def _chain() -> None:
    """Run the ``sitecustomize`` that Python would find without ours. Its errors are Python's to handle."""
    from importlib.machinery import PathFinder

    rest = [folder for folder in sys.path if os.path.abspath(folder or ".") != _HERE]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is None or spec.loader is None:
        return
    module = type(sys)("sitecustomize")
    module.__spec__ = spec
    module.__file__ = spec.origin
    module.__loader__ = spec.loader
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _is_driver() -> bool:
    return any(sys.orig_argv[at : at + 2] == _BOOT for at in range(1, len(sys.orig_argv)))


_start_in_worker()
try:
    _chain()
finally:
    if _is_driver():
        plain = PlainPython()
        plain.hide(os.environ.get("PYTHONPATH", ""))
        # Found by the boot under this name: a chained `sitecustomize` may have taken ours.
        sys.__dict__["_daftray_plain"] = plain
