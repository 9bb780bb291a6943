"""Failpoints: where a server can be made to die, to hesitate or to fail, for tests of what survives.

``DAFTRAY_FAILPOINTS`` holds a spec; the wiring then puts a proxy around every port. Where it is unset there
are no proxies, and nothing to pay. A point is one side of one call, an edge at which something outside may
have changed: ``runs.save:before``, ``rayjobs.submit:after``. The items of a spec are separated by ``;``:

* ``POINT=N`` or ``POINT=*``: SIGKILL this process at the Nth passing of the point, or at each.
* ``POINT=N,error``: raise what the port raises when what is behind it is away. After a call, that is an
  answer that was lost.
* ``POINT=N,delay,SECONDS``: wait there.
* ``rate=R`` and ``seed=TEXT``: SIGKILL anywhere, at the Nth passing of a point with a probability of R/N, so
  that what is called all the time is not all that is ever hit. The same seed hits the same passings.
* ``passed=PATH``: append ``POINT N``, and the action if there was one, at each passing.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from daftray.domain.errors import (
    ClusterUnreachableError,
    DaftrayError,
    InvalidInputError,
    SourceUnavailableError,
    StoreUnavailableError,
)

log = logging.getLogger(__name__)

Port = TypeVar("Port")

# The proxy passes on whatever a port's method takes and answers.
_Call = Callable[..., Coroutine[Any, Any, Any]]
_Stream = Callable[..., AsyncIterator[Any]]

_AWAY: dict[str, type[DaftrayError]] = {
    "rayjobs": ClusterUnreachableError,
    "mirrors": SourceUnavailableError,
    "packages": SourceUnavailableError,
}
"""What a port raises when what is behind it is away; the others are stores."""
_KINDS = {"kill": 1, "error": 1, "delay": 2}
"""The actions, and how many words each takes."""


@dataclass(frozen=True, kw_only=True)
class _Action:
    """What happens at a point: at its Nth passing, or at each where ``at`` is None."""

    kind: str
    at: int | None
    seconds: float = 0.0


class Failpoints:
    """The points of one process, and what is to happen at them. Without a spec there are none."""

    def __init__(self, spec: str | None) -> None:
        """Read a spec.

        Raises:
            InvalidInputError: an item of it cannot be read.
        """
        self._actions: dict[str, _Action] = {}
        self._rate, self._seed = 0.0, ""
        self._passed: Path | None = None
        self._passings: Counter[str] = Counter()
        self._set = bool(spec)
        for item in (spec or "").split(";"):
            if item.strip():
                self._read(item.strip())
        if self._set:
            log.warning("DAFTRAY_FAILPOINTS is set: this server dies on purpose", extra={"spec": spec})

    def around(self, name: str, port: Port) -> Port:
        """Return a port whose calls pass points named ``NAME.call:before`` and ``NAME.call:after``."""
        return cast("Port", _Edges(self, name, port)) if self._set else port

    async def pass_by(self, point: str) -> None:
        """Do at a point what is to be done there."""
        self._passings[point] += 1
        passing = self._passings[point]
        action = self._action(point, passing)
        self._note(point, passing, action)
        if action is None:
            return
        if action.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action.kind == "error":
            raise _AWAY.get(point.partition(".")[0], StoreUnavailableError)(f"Failpoint {point}.")
        await asyncio.sleep(action.seconds)

    def _action(self, point: str, passing: int) -> _Action | None:
        action = self._actions.get(point)
        if action is not None and action.at in {None, passing}:
            return action
        # Not one generator for all: the order in which tasks pass their points is no part of the seed.
        dice = random.Random(f"{self._seed}/{point}/{passing}")  # noqa: S311 (a repeatable test, no secret)
        if dice.random() < self._rate / passing:
            return _Action(kind="kill", at=passing)
        return None

    def _note(self, point: str, passing: int, action: _Action | None) -> None:
        if self._passed is not None:
            with self._passed.open("a", encoding="utf-8") as file:
                file.write(f"{point} {passing}{f' {action.kind}' if action else ''}\n")

    def _read(self, item: str) -> None:
        name, _, value = item.partition("=")
        try:
            if name == "rate":
                self._rate = float(value)
            elif name == "seed":
                self._seed = value
            elif name == "passed":
                self._passed = Path(value)
            else:
                self._actions[name] = _action_of(value)
        except ValueError as exc:
            raise InvalidInputError(
                f"DAFTRAY_FAILPOINTS holds {item!r}: give POINT=N, POINT=N,error, POINT=N,delay,SECONDS, "
                "rate=R, seed=TEXT or passed=PATH, separated by semicolons."
            ) from exc


def points_of(name: str, port: type) -> list[str]:
    """Return the points of a port, by its protocol."""
    calls = [call for call, value in vars(port).items() if not call.startswith("_") and _passes(value)]
    return [f"{name}.{call}:{side}" for call in calls for side in ("before", "after")]


def _action_of(text: str) -> _Action:
    """Return an action. Raises `ValueError` where the text is none."""
    at, *words = text.split(",")
    words = words or ["kill"]
    if len(words) != _KINDS.get(words[0]):
        raise ValueError(text)
    return _Action(kind=words[0], at=None if at == "*" else int(at), seconds=float((*words, "0")[1]))


def _passes(value: object) -> bool:
    """Tell whether a method does its work outside of this process: the asynchronous ones do."""
    return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)


class _Edges:
    """Stands in for a port: what is awaited passes a point before and after it."""

    def __init__(self, points: Failpoints, name: str, port: object) -> None:
        self._points = points
        self._name = name
        self._port = port

    def __getattr__(self, attribute: str) -> object:
        value: object = getattr(self._port, attribute)
        if inspect.isasyncgenfunction(value):
            return self._stream(attribute, value)
        return self._call(attribute, value) if inspect.iscoroutinefunction(value) else value

    def _call(self, attribute: str, call: _Call) -> _Call:
        point = f"{self._name}.{attribute}"

        async def passing(*args: object, **kwargs: object) -> object:
            await self._points.pass_by(f"{point}:before")
            try:
                answer = await call(*args, **kwargs)
            except Exception:
                await self._points.pass_by(f"{point}:after")
                raise
            await self._points.pass_by(f"{point}:after")
            return answer

        return passing

    def _stream(self, attribute: str, stream: _Stream) -> _Stream:
        point = f"{self._name}.{attribute}"

        async def passing(*args: object, **kwargs: object) -> AsyncIterator[object]:
            await self._points.pass_by(f"{point}:before")
            async for piece in stream(*args, **kwargs):
                yield piece
            await self._points.pass_by(f"{point}:after")

        return passing
