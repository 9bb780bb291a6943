"""Calls that are repeated until they are answered: over a poor network each of many has to come through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from daftray.domain.errors import ClusterUnreachableError

ANSWER_WITHIN_S = 3.0
"""After so long a call is taken for lost: what is asked here takes a head some milliseconds."""
PAUSE_S = 0.2

Answer = TypeVar("Answer")


async def patiently(call: Callable[[], Awaitable[Answer]], *, within_s: float = ANSWER_WITHIN_S) -> Answer:
    """Return the first answer to a call that is repeated until there is one: the caller bounds the whole.

    Each further call is given twice as long: a head that is only slow is heard, too.

    Raises:
        ClusterRefusedError, JobNotFoundError, JobExistsError: they are answers.
    """
    while True:
        with contextlib.suppress(ClusterUnreachableError, TimeoutError):
            async with asyncio.timeout(within_s):
                return await call()
        within_s *= 2
        await asyncio.sleep(PAUSE_S)
