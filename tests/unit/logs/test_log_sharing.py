"""Calls that are shared: one for all who ask at once, an answer for each, and nothing kept."""

from __future__ import annotations

import asyncio

import pytest

from daftray.logs.sharing import SharedCalls


class Counted:
    """Counts how often it was called; answers when the gate opens."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self.error = error

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return number


async def started(shared: SharedCalls[int], call: Counted, *keys: str) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(shared.get(key, call)) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_all_who_ask_at_once_share_one_call() -> None:
    shared, call = SharedCalls[int](), Counted()
    tasks = await started(shared, call, "a", "a", "a", "b")
    call.gate.set()
    assert await asyncio.gather(*tasks) == [1, 1, 1, 2]


async def test_who_comes_later_asks_anew() -> None:
    shared, call = SharedCalls[int](), Counted()
    call.gate.set()
    assert [await shared.get("a", call) for _ in range(3)] == [1, 2, 3]


async def test_each_is_told_of_an_error() -> None:
    shared, call = SharedCalls[int](), Counted(ValueError("no"))
    tasks = await started(shared, call, "a", "a")
    call.gate.set()
    assert [str(one) for one in await asyncio.gather(*tasks, return_exceptions=True)] == ["no", "no"]


async def test_who_gives_up_takes_nobody_along() -> None:
    shared, call = SharedCalls[int](), Counted()
    first, second = await started(shared, call, "a", "a")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    call.gate.set()
    assert await second == 1


async def test_an_error_that_nobody_waits_for_is_no_warning() -> None:
    shared, call = SharedCalls[int](), Counted(ValueError("no"))
    (only,) = await started(shared, call, "a")
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    call.gate.set()
    for _ in range(3):
        await asyncio.sleep(0)
    call.error = None
    assert await shared.get("a", call) == 2
