"""How an attempt's log lies in the blob store.

Chunk ``i`` holds the bytes from ``i * CHUNK`` on. A full one is sealed, under a key without a length. The one
that still grows lies under a key with its length, and a longer one is another blob: so a writer that died, or
that lost its claim, has never changed a byte that a reader of the noted size reads.
"""

from __future__ import annotations

from collections.abc import Iterator

CHUNK = 1 << 18
"""Bytes of a sealed chunk. The one that grows is written anew for each bit that comes, often each second:
the larger it may be, the more is written for a line, and the more memory its copies keep."""


def sealed_key(run_id: str, attempt: int, index: int) -> str:
    """Return the key of a full chunk."""
    return f"runs/{run_id}/{attempt}/log/{index:08d}"


def growing_key(run_id: str, attempt: int, index: int, length: int) -> str:
    """Return the key of a chunk that is not full yet."""
    return f"{sealed_key(run_id, attempt, index)}.{length}"


def key_of(run_id: str, attempt: int, index: int, size: int) -> str:
    """Return the key of a chunk of a log of that size."""
    length = size - index * CHUNK
    if length >= CHUNK:
        return sealed_key(run_id, attempt, index)
    return growing_key(run_id, attempt, index, length)


def spans(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the chunks of a range of the log: index, and the range's bounds within the chunk."""
    while start < end:
        index, within = divmod(start, CHUNK)
        until = min(CHUNK, end - index * CHUNK)
        yield index, within, until
        start = index * CHUNK + until
