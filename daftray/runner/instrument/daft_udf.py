"""Daft's UDFs, where Daft calls Python: each row, each batch, and each row of an asynchronous batch.

Every exception that leaves a UDF passes here, whatever becomes of it, and what the UDF counts is told apart
by its name. It is on the path of every row: what can be known beforehand is looked up, not made.
"""

from __future__ import annotations

import functools

from daftray.runner import report
from daftray.runner.instrument import UnknownShapeError
from daftray.runner.instrument.udf_calls import Udf, Udfs, preview, previews, thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import ModuleType
    from typing import Any

CALLS = ("call_func", "call_batch_func", "call_batch_async", "call_async_func_batched")
"""What Daft looks up in its module at each call. All take the instance and the method first."""


def patch(module: ModuleType) -> None:
    """Watch the calls."""
    for name in CALLS:
        code = getattr(getattr(module, name, None), "__code__", None)
        if code is None or code.co_varnames[:2] != ("cls", "method"):
            raise UnknownShapeError(f"it has no {name}(cls, method, …)")
    udfs, shows = Udfs(), previews()
    module.call_func = _sync(module.call_func, udfs, shows=shows)  # type: ignore[attr-defined]
    module.call_batch_func = _sync(module.call_batch_func, udfs, shows=shows)  # type: ignore[attr-defined]
    module.call_batch_async = _batch_async(module.call_batch_async, udfs, shows=shows)  # type: ignore[attr-defined]
    module.call_async_func_batched = _rows_async(  # type: ignore[attr-defined]
        module.call_async_func_batched, udfs, shows=shows
    )


def _sync(original: Any, udfs: Udfs, *, shows: bool) -> Any:  # functions of Daft's, whatever their types
    known, find = udfs.known.get, udfs.find
    inside = report.inside()
    enter, leave = inside.set, inside.reset

    @functools.wraps(original)
    def call(cls: Any, method: Any, *rest: Any) -> Any:
        udf = known((id(cls), id(method))) or find(cls, method)
        given = _copied(rest) if shows else None
        token = enter(udf.pairs)
        try:
            answer = original(cls, method, *rest)
        except Exception as error:
            who = thread()
            udf.tell(error, udf.handled(who), None if given is None else preview(given))
            udf.failed(who)
            raise
        finally:
            leave(token)
        if udf.retries:
            udf.succeeded(thread())
        return answer

    return call


def _batch_async(original: Any, udfs: Udfs, *, shows: bool) -> Any:
    inside = report.inside()

    @functools.wraps(original)
    async def call(cls: Any, method: Any, *rest: Any) -> Any:
        udf = udfs.known.get((id(cls), id(method))) or udfs.find(cls, method)
        who = _like(rest) if udf.retries else None
        given = _copied(rest) if shows else None
        token = inside.set(udf.pairs)
        try:
            answer = await original(cls, method, *rest)
        except Exception as error:
            udf.tell(error, udf.handled(who), None if given is None else preview(given))
            udf.failed(who)
            raise
        finally:
            inside.reset(token)
        udf.succeeded(who)
        return answer

    return call


def _rows_async(original: Any, udfs: Udfs, *, shows: bool) -> Any:
    inside = report.inside()

    @functools.wraps(original)
    async def call(cls: Any, method: Any, *rest: Any) -> Any:
        udf = udfs.known.get((id(cls), id(method))) or udfs.find(cls, method)
        who = _like(rest) if udf.retries else None
        rows = _Rows(udf, method, udf.handled(who), shows=shows)
        # Each row's task starts with a copy of this context.
        token = inside.set(udf.pairs)
        try:
            answer = await original(cls, rows.call, *rest)
        except Exception as error:
            if not rows.failed:  # it is no row's: an instance that cannot be made, a type that does not fit
                udf.tell(error, rows.handled)
            udf.failed(who)
            raise
        finally:
            inside.reset(token)
        udf.succeeded(who)
        return answer

    return call


class _Rows:
    """The rows of one asynchronous batch, all of which Daft tries again if one fails."""

    __slots__ = ("_method", "_shows", "_udf", "failed", "handled")

    def __init__(self, udf: Udf, method: Any, handled: str, *, shows: bool) -> None:
        self._udf = udf
        self._method = method
        self._shows = shows
        self.handled = handled
        self.failed = False

    def call(self, instance: Any, /, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Take the method's place."""
        row = self._method(instance, *args, **kwargs)
        return self._watch(row, (args, kwargs) if self._shows else None)

    async def _watch(self, row: Awaitable[Any], given: tuple[tuple[Any, ...], dict[str, Any]] | None) -> Any:
        try:
            return await row
        except Exception as error:
            self.failed = True
            arguments = None if given is None else preview([*given[0], *given[1].values()])
            self._udf.tell(error, self.handled, arguments)
            raise


def _copied(rest: tuple[Any, ...]) -> list[Any] | None:
    """Return the arguments of a call, which Daft takes out of their list."""
    try:
        return list(rest[-1])
    except (IndexError, TypeError):
        return None


def _like(rest: tuple[Any, ...]) -> object:
    """Return what a batch has in common with its repetition, and hardly with another batch at the time."""
    try:
        values = rest[-1]
        return len(values), repr(values[0])[:1000]
    except Exception:
        return 0
