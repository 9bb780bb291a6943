"""Daft's older UDFs (``@daft.udf``), which are called for a batch, by ``run_udf``."""

from __future__ import annotations

import functools

from daftray.runner import names, report
from daftray.runner.instrument import UnknownShapeError
from daftray.runner.instrument.udf_calls import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def patch(module: ModuleType) -> None:
    """Watch the calls, and the making of a class's instance ahead of them."""
    run = getattr(module, "run_udf", None)
    maker = getattr(module, "UninitializedUdf", None)
    if not callable(run) or not callable(getattr(maker, "initialize", None)):
        raise UnknownShapeError("it has no run_udf, or no UninitializedUdf.initialize")

    inside = report.inside()

    @functools.wraps(run)
    def run_udf(func: Any, *rest: Any, **more: Any) -> Any:
        name = _name(func)
        token = inside.set(((names.UDF, name),))
        try:
            return run(func, *rest, **more)
        except Exception as error:
            tell(_users(error), name)
            raise
        finally:
            inside.reset(token)

    module.run_udf = run_udf  # type: ignore[attr-defined]
    initialize = maker.initialize  # type: ignore[union-attr]

    @functools.wraps(initialize)
    def watched(self: Any, *rest: Any, **more: Any) -> Any:
        try:
            return initialize(self, *rest, **more)
        except Exception as error:
            tell(_users(error), str(getattr(self, "name", type(self).__qualname__)))
            raise

    maker.initialize = watched  # type: ignore[union-attr]


def _users(error: Exception) -> BaseException:
    """Return the user's exception, of which Daft makes one of its own."""
    return (error.__cause__ if type(error).__name__ == "UDFException" else None) or error


def _name(func: Any) -> str:
    """Return the name of a function, or of the class that an instance is of."""
    named: Any = func if hasattr(func, "__qualname__") else func.__class__
    return f"{named.__module__}.{named.__qualname__}"
