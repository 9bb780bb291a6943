"""How the C library keeps the memory of this process.

A server has many threads: connections to SQLite, hashing and unpacking, the blob store's own. GNU's allocator
gives each an arena, up to eight for each core, and what is free in one is of no use to the others: the server
grows for an hour although it needs no more. Python's own lock keeps most threads from allocating side by
side, so they lose little by sharing.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

ARENAS = 2
_M_ARENA_MAX = -8
_CHOSEN = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LD_PRELOAD")
"""With these, whoever starts the server has chosen an allocator, or how it does."""


def share_arenas() -> None:
    """Let all threads share two arenas. Call it before there are threads; only GNU's allocator has any."""
    mallopt = None if any(name in os.environ for name in _CHOSEN) else _mallopt()
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


def _mallopt() -> Callable[[int, int], int] | None:
    try:
        return ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return None
