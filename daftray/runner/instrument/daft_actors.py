"""The end of Daft's pools of UDF actors: Daft kills each, and what it counted last would be lost.

An actor that is about to go is asked something first; before it answers, it sends what it has counted
(`daftray.runner.instrument.ray_tasks`). One that is busy, or gone, is not waited for.
"""

from __future__ import annotations

import functools
import sys
import time

from daftray.runner.instrument import UnknownShapeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

PATIENCE_S = 1.0
"""For all actors of a pool together: Daft's scheduler stands still meanwhile."""
_ANOTHER_POOL_S = 5.0


def patch(module: ModuleType) -> None:
    """Ask each actor before it is killed."""
    handle = getattr(module, "UDFActorHandle", None)
    original = getattr(handle, "teardown", None)
    if handle is None or original is None or not hasattr(module, "UDFActor"):
        raise UnknownShapeError("it has no UDFActorHandle.teardown")
    patience = Patience()

    @functools.wraps(original)
    def teardown(self: Any) -> Any:
        try:
            ray: Any = sys.modules["ray"]
            ray.wait([self.actor.get_node_id.remote()], timeout=patience.left_s(time.monotonic()))
        except Exception:  # noqa: S110 (it is gone, or another than known: some counts may be missing)
            pass
        return original(self)

    handle.teardown = teardown


class Patience:
    """How long actors are waited for: a time for all that end together."""

    def __init__(self) -> None:
        self._began_s = float("-inf")

    def left_s(self, now_s: float) -> float:
        """Return the seconds that an actor which ends now may take to answer."""
        if now_s - self._began_s > _ANOTHER_POOL_S:
            self._began_s = now_s
        return max(self._began_s + PATIENCE_S - now_s, 0.0)
