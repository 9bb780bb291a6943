"""What keeps the loop at its runs: it is told of new ones, and holds on to those that take long."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

from run_steps import ControlPlane, eventually

from daftray.domain.ports import Claim
from daftray.runs.reconciler import Reconciler

LONG_S = 30


async def test_a_new_run_wakes_the_loop() -> None:
    plane = await ControlPlane().open()
    woken = asyncio.create_task(plane.wake.wait_any(LONG_S))
    await asyncio.sleep(0)
    await plane.create()
    await asyncio.wait_for(woken, LONG_S / 3)


async def test_whoever_holds_a_run_for_long_keeps_its_claim() -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    lease = timedelta(milliseconds=30)
    claim = Claim(token="short", lease=lease)
    renewed: list[str] = []
    renew = plane.stores.runs.renew

    async def seen(claim: Claim, run_ids: list[str], **more: object) -> None:
        renewed.extend(run_ids)
        await renew(claim, run_ids, **more)

    async def hangs(*_: object, **__: object) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    plane.stores.runs.renew = seen  # type: ignore[method-assign] (the same call, seen)
    plane.mirrors.pin = hangs
    loop = Reconciler(
        context=dataclasses.replace(plane.context, claim=claim), wake=plane.wake, signals=plane.signals
    )

    async def kept() -> bool:
        return renewed.count(run.id) >= 2

    serving = asyncio.create_task(loop.serve())
    try:
        await eventually(kept)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
