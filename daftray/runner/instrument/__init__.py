"""Hooks into libraries, put in place when the user's code imports them: nothing is imported on its behalf.

One file for each library, with a ``patch(module)`` that is given the freshly imported module. To hook
another module, add it to `HOOKS`. A hook that does not find what it knows means fewer numbers and one
warning on stderr, never an error.
"""

from __future__ import annotations

import sys
from importlib import import_module

from daftray.runner.say import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

HOOKS = {
    "daft.ai.metrics": "daftray.runner.instrument.daft_ai",
    "daft.execution.ray_actor_pool_udf": "daftray.runner.instrument.daft_actors",
    "daft.udf.execution": "daftray.runner.instrument.daft_udf",
    "daft.udf.legacy": "daftray.runner.instrument.daft_legacy",
    "daft.udf.metrics": "daftray.runner.instrument.daft_counters",
    "daft.udf.udf_v2": "daftray.runner.instrument.daft_func",
    "ray._private.function_manager": "daftray.runner.instrument.ray_tasks",
    "anthropic._base_client": "daftray.runner.instrument.anthropic_client",
    "google.genai._api_client": "daftray.runner.instrument.google_client",
    "openai._base_client": "daftray.runner.instrument.openai_client",
    "vllm.v1.engine.async_llm": "daftray.runner.instrument.vllm_engine",
    "vllm.v1.engine.llm_engine": "daftray.runner.instrument.vllm_engine",
}
"""Modules to patch, and who patches them."""


class UnknownShapeError(Exception):
    """The library is not as the hook knows it."""


def install(hooks: dict[str, str] | None = None) -> None:
    """Patch the libraries that are loaded, and the others when they are."""
    wanted = HOOKS if hooks is None else hooks
    for name in wanted:
        if name in sys.modules:
            _patch(sys.modules[name], wanted[name])
    sys.meta_path.insert(0, _Finder(wanted))


class _Finder:
    """Finds nothing itself: it lets the others find a module, and patches it once it has been executed."""

    def __init__(self, hooks: dict[str, str]) -> None:
        self._hooks = hooks

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is to be patched, as the other finders do."""
        if name not in self._hooks:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                self._patch_after(spec, self._hooks[name])
                return spec
        return None

    def _patch_after(self, spec: ModuleSpec, hook: str) -> None:
        loader = spec.loader
        if loader is None:
            return
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module  # the instance's own: a reload is the library's business
            execute(module)
            _patch(module, hook)

        try:
            loader.exec_module = exec_module
        except AttributeError:
            warn(spec.name, "its loader cannot be watched")


def _patch(module: ModuleType, hook: str) -> None:
    try:
        patch: Callable[[ModuleType], None] = import_module(hook).patch
        patch(module)
    except Exception as error:
        warn(module.__name__, f"{type(error).__name__}: {error}")


def warn(library: str, reason: str) -> None:
    """Say that a library's usage will be missing."""
    say(f"usage of {library} is not counted, nor are problems: this version of it is not known ({reason})")
