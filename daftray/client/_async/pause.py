"""Waiting."""

from __future__ import annotations

import asyncio


async def pause(seconds: float) -> None:
    """Let that many seconds pass."""
    await asyncio.sleep(seconds)
