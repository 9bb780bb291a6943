"""Ray's tasks and actors, as a worker gets them: every exception that leaves one.

Of an exception in a worker its driver has the text only, and nothing at all where it does not ask. Daft's
and Ray's own actors are left out: what leaves them was a UDF's.
"""

from __future__ import annotations

import contextlib
import functools
import inspect

from daftray.runner import report
from daftray.runner.instrument import UnknownShapeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Generator
    from types import ModuleType
    from typing import Any

_NOT_THE_USERS = ("daft", "ray._private", "ray.dashboard", "ray.experimental", "ray.util")
_ASKED_BEFORE_THE_END = ("daft.execution.ray_actor_pool_udf", "UDFActor", "get_node_id")
_TASK_OF_A_QUERY = ("daft.runners.flotilla", "RaySwordfishActor", "run_plan")
_LAST_OF_A_TASK = "SwordfishTaskMetadata"
_EXITS = ("AsyncioActorExit",)
"""How Ray itself ends an asynchronous actor."""


def patch(module: ModuleType) -> None:
    """Watch what a worker is to execute."""
    manager = getattr(module, "FunctionActorManager", None)
    original = getattr(manager, "get_execution_info", None)
    if manager is None or original is None:
        raise UnknownShapeError("it has no FunctionActorManager.get_execution_info")
    known: dict[int, tuple[Any, Any]] = {}  # Ray keeps what it loads to the process's end

    @functools.wraps(original)
    def get_execution_info(self: Any, *args: Any, **kwargs: Any) -> Any:
        info = original(self, *args, **kwargs)
        try:
            descriptor = kwargs["function_descriptor"] if "function_descriptor" in kwargs else args[1]
            if id(info) not in known:
                known[id(info)] = (info, _watched(info, descriptor))
            return known[id(info)][1]
        except Exception:
            return info

    manager.get_execution_info = get_execution_info


def _watched(info: Any, descriptor: Any) -> Any:
    """Return what a worker is to execute, watched; as it is where it is not the user's."""
    module = str(descriptor.module_name)
    place = (module, str(descriptor.class_name), str(descriptor.function_name))
    if place == _ASKED_BEFORE_THE_END:
        return info._replace(function=_flushing(info.function))
    if place == _TASK_OF_A_QUERY:
        return info._replace(function=_flushing_at_the_end(info.function))
    if any(module == theirs or module.startswith(f"{theirs}.") for theirs in _NOT_THE_USERS):
        return info
    return info._replace(function=_telling(info.function))


def _telling(function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            _tell(error)
            raise
        if inspect.iscoroutine(answer):
            return _awaited(answer)
        if inspect.isgenerator(answer):
            return _iterated(answer)
        return _iterated_async(answer) if inspect.isasyncgen(answer) else answer

    return call


def _flushing(function: Any) -> Any:
    """Send what was counted before answering (see `daftray.runner.instrument.daft_actors`)."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        report.flush()
        return function(*args, **kwargs)

    return call


def _flushing_at_the_end(function: Any) -> Any:
    """Send what a task of a query has counted before its driver can see that it has ended.

    A run may end right after, and Ray kills its workers.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        return _flushed(answer) if inspect.isasyncgen(answer) else answer

    return call


async def _flushed(answer: Any) -> AsyncGenerator[Any]:
    try:
        async for each in answer:
            if type(each).__name__ == _LAST_OF_A_TASK:
                await _flush_aside()
            yield each
    except Exception:
        await _flush_aside()
        raise
    finally:
        await answer.aclose()


async def _flush_aside() -> None:
    """Leave the event loop to the actor's other tasks meanwhile."""
    with contextlib.suppress(Exception):
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, report.flush_now)


async def _awaited(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except Exception as error:
        _tell(error)
        raise


def _iterated(answer: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    try:
        return (yield from answer)
    except Exception as error:
        _tell(error)
        raise


async def _iterated_async(answer: Any) -> AsyncGenerator[Any]:
    try:
        async for each in answer:
            yield each
    except Exception as error:
        _tell(error)
        raise
    finally:
        await answer.aclose()


def _tell(error: Exception) -> None:
    """Count an exception, unless a UDF that ran in here has let it through."""
    try:
        problems = report.problems()
        if problems is not None and type(error).__name__ not in _EXITS and problems.known(error) is None:
            problems.add(error)
    except Exception:  # it is on its way through the user's code
        return
