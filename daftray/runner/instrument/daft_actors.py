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

PATIENCE_S = 2.0
"""For all actors of a pool together: Daft's scheduler stands still meanwhile."""
ANOTHER_POOL_S = 0.5
"""The actors of one pool end one right after the other."""


def patch(module: ModuleType) -> None:
    """Ask each actor before it is killed."""
    handle = getattr(module, "UDFActorHandle", None)
    original = getattr(handle, "teardown", None)
    if handle is None or original is None or not hasattr(module, "UDFActor"):
        raise UnknownShapeError("it has no UDFActorHandle.teardown")
    patience = Patience()

    @functools.wraps(original)
    def teardown(self: Any) -> Any:
        began_s = time.monotonic()
        try:
            ray: Any = sys.modules["ray"]
            # Without retries, of which Ray would tell the user when the actor is killed after all.
            asked = self.actor.get_node_id.options(max_task_retries=0).remote()
            ray.wait([asked], timeout=patience.left_s(began_s))
        except Exception:  # noqa: S110 (it is gone, or another than known: some counts may be missing)
            pass
        patience.waited(began_s, time.monotonic())
        return original(self)

    handle.teardown = teardown


class Patience:
    """How long actors are waited for: a time for all that end together."""

    def __init__(self) -> None:
        self._ended_s = float("-inf")
        self._waited_s = 0.0

    def left_s(self, now_s: float) -> float:
        """Return the seconds that an actor which ends now may take to answer."""
        if now_s - self._ended_s > ANOTHER_POOL_S:
            self._waited_s = 0.0
        return max(PATIENCE_S - self._waited_s, 0.0)

    def waited(self, began_s: float, now_s: float) -> None:
        """Note how long an actor was waited for."""
        self._waited_s += now_s - began_s
        self._ended_s = now_s
