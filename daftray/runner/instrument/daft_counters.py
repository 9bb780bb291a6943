"""Daft's counters of UDFs (``daft.udf.metrics``), as the run's: Daft loses those of actors and failures.

They are the user's own. What Daft's AI functions count with them, `daft_ai` counts as usage.
"""

from __future__ import annotations

import contextlib
import functools

from daftray.runner import report
from daftray.runner.instrument import UnknownShapeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def patch(module: ModuleType) -> None:
    """Count what the user counts."""
    original = getattr(module, "increment_counter", None)
    if not callable(original):
        raise UnknownShapeError("it has no increment_counter")

    @functools.wraps(original)
    def increment_counter(name: Any, amount: Any = 1, **more: Any) -> Any:
        attributes: dict[str, object] = more.get("attributes") or {}
        with contextlib.suppress(Exception):  # what it does not take, Daft refuses in its own words
            report.increment(str(name), amount, **attributes)
        return original(name, amount, **more)

    module.increment_counter = increment_counter  # type: ignore[attr-defined]


def unwatched(function: Any) -> Any:
    """Return Daft's own function, for those whose counts are not the user's."""
    return getattr(function, "__wrapped__", function)
