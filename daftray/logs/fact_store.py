"""Where the facts of chunks are kept: beside the chunks, so that they go when the log goes.

A chunk's facts lie under its sealed key and ``.facts``. Those of `GROUP` sealed chunks lie together once more
under the first one's key and ``.group``, so that a long log is known by a few reads. Facts are written after
the log's size is: a writer that dies before has lost nothing of the log, and a stale one writes none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from daftray.domain.errors import BlobNotFoundError, DaftrayError
from daftray.domain.ports import BlobStore
from daftray.logs.chunks import CHUNK, sealed_key
from daftray.logs.facts import Arrival, ChunkFacts, facts_of, thinned, with_arrival

log = logging.getLogger(__name__)

GROUP = 64
_GROUPED_ARRIVALS = 4
"""Of each chunk: enough to find the chunk, whose own facts have the rest."""
_NONE = ChunkFacts(size=0)

Facts = TypeVar("Facts")


def facts_key(run_id: str, attempt: int, index: int) -> str:
    """Return the key of a chunk's facts."""
    return f"{sealed_key(run_id, attempt, index)}.facts"


def group_key(run_id: str, attempt: int, group: int) -> str:
    """Return the key of the facts of a whole group of chunks."""
    return f"{sealed_key(run_id, attempt, group * GROUP)}.group"


class FactStore:
    """The facts of chunks."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def note(self, run_id: str, attempt: int, *, size: int, content: bytes, now: datetime) -> None:
        """Note what came into a log that had ``size`` bytes.

        ``content`` begins where the chunk of that byte does. A blob store that is away just now costs the
        times of these lines, and nothing else.
        """
        try:
            await self._note(run_id, attempt, size, content, int(now.timestamp()))
        except DaftrayError as exc:
            log.debug("when lines came in is not noted: %s", exc.detail, extra={"run": run_id})

    async def _note(self, run_id: str, attempt: int, size: int, content: bytes, now: int) -> None:
        index, filled = divmod(size, CHUNK)
        before = (await self.of_chunk(run_id, attempt, index) or _NONE).arrivals if filled else ()
        for begin in range(0, len(content), CHUNK):
            piece = content[begin : begin + CHUNK]
            arrivals = with_arrival(before, Arrival(filled, piece.count(b"\n", 0, filled), now))
            key = facts_key(run_id, attempt, index + begin // CHUNK)
            if len(piece) == CHUNK:
                await self._put(key, await asyncio.to_thread(facts_of, piece, arrivals))
            elif arrivals is not before:
                await self._put(key, ChunkFacts(size=len(piece), arrivals=arrivals))
            before, filled = (), 0

    async def of_chunk(self, run_id: str, attempt: int, index: int) -> ChunkFacts | None:
        """Return a chunk's facts, or nothing where none are kept."""
        return await self._get(facts_key(run_id, attempt, index), ChunkFacts)

    async def of_group(self, run_id: str, attempt: int, group: int) -> Sequence[ChunkFacts] | None:
        """Return the facts of a group, with some of the times, or nothing where they do not lie together."""
        facts = await self._get(group_key(run_id, attempt, group), list[ChunkFacts])
        return facts if facts and len(facts) == GROUP else None

    async def put_group(self, run_id: str, attempt: int, group: int, facts: Sequence[ChunkFacts]) -> None:
        """Keep the facts of a group's sealed chunks. They never change, so anybody may do it."""
        some = [replace(one, arrivals=thinned(one.arrivals, _GROUPED_ARRIVALS)) for one in facts]
        await self._put(group_key(run_id, attempt, group), some)

    async def drop_group(self, run_id: str, attempt: int, group: int) -> None:
        """Remove the facts of a group again."""
        await self._blobs.delete(group_key(run_id, attempt, group))

    async def _put(self, key: str, facts: ChunkFacts | Sequence[ChunkFacts]) -> None:
        await self._blobs.put(key, msgspec.json.encode(facts))

    async def _get(self, key: str, kind: type[Facts]) -> Facts | None:
        try:
            return msgspec.json.decode(await self._blobs.get(key), type=kind)
        except (BlobNotFoundError, msgspec.MsgspecError):  # of a later daftray, say: as good as none
            return None
