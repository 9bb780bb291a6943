"""Those who ask for the same thing at the same moment share one answer: fifty followers of one log, say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedCalls(Generic[Answer]):
    """Calls that are under way, by what they ask for. It keeps no answer: who comes later asks anew."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, asyncio.Future[Answer]] = {}

    async def get(self, key: Hashable, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return what the call under way for that key returns, or raises; make it where there is none.

        Whoever gives up waiting does not end the call for the others.
        """
        under_way = self._calls.get(key)
        if under_way is None:
            under_way = asyncio.ensure_future(call())
            self._calls[key] = under_way
            under_way.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(under_way)

    def _forget(self, key: Hashable, done: asyncio.Future[Answer]) -> None:
        del self._calls[key]
        if not done.cancelled():
            done.exception()  # whoever wanted it may have gone
