"""Where in the user's code something is counted: the UDF that runs in this context, where one does.

A module of its own, since processes that call no UDF do without what it imports.
"""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pairs = tuple[tuple[str, str], ...]

udf: ContextVar[Pairs] = ContextVar("daftray_udf", default=())
"""The attributes that what is counted gets."""
