"""Daft's ``Func``: notes what a worker needs to know of a UDF on the instance that Daft pickles with it.

A worker is given the instance, the method and the arguments of a row. Whether an exception of it will be
raised, logged, dropped or tried again is known to Daft's own code in Rust only.
"""

from __future__ import annotations

import contextlib
import functools

from daftray.runner.instrument import UnknownShapeError
from daftray.runner.instrument.udf_calls import POLICIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def patch(module: ModuleType) -> None:
    """Take note of each ``Func`` that is made."""
    func = getattr(module, "Func", None)
    original = getattr(func, "__post_init__", None)
    if func is None or original is None:
        raise UnknownShapeError("it has no Func with __post_init__")

    @functools.wraps(original)
    def __post_init__(self: Any) -> None:  # noqa: N807 (it takes the place of one)
        original(self)
        with contextlib.suppress(
            Exception
        ):  # what it does about exceptions stays unknown, and it runs as ever
            _note(self)

    func.__post_init__ = __post_init__


def _note(func: Any) -> None:
    """Use plain types only: whatever unpickles them may know nothing of daftray."""
    noted = func._cls.__dict__.setdefault(POLICIES, {})
    noted[func._method.__qualname__] = (str(func.name), func.on_error or "raise", int(func.max_retries or 0))
