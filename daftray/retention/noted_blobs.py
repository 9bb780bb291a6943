"""Removes the blobs that the database has noted as to go, however often it takes."""

from __future__ import annotations

import logging
from asyncio import gather

from daftray.domain.errors import DaftrayError
from daftray.domain.ports import BlobStore, RetentionStore
from daftray.retention.at_once import in_groups

log = logging.getLogger(__name__)


class NotedBlobs:
    """What the database has let go of, and the blob store still has."""

    def __init__(self, store: RetentionStore, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs

    async def remove(self, *, most: int) -> bool:
        """Remove blobs; tell whether some are left.

        A blob that is gone already is fine, since an earlier pass may have been cut off, and another server
        may be at it, too. One that cannot be removed now stays noted, and keeps no other from going.
        """
        keys = await self._store.pending(limit=most)
        for group in in_groups(keys):
            gone = [key for key, removed in zip(group, await self._all(group), strict=True) if removed]
            await self._store.gone(gone)
        return bool(await self._store.pending(limit=1))

    async def _all(self, keys: list[str]) -> list[bool]:
        return [*await gather(*(self._remove(key) for key in keys))]

    async def _remove(self, key: str) -> bool:
        try:
            if key.endswith("/"):
                async for blob in self._blobs.list(key):
                    await self._blobs.delete(blob.key)
            else:
                await self._blobs.delete(key)
        except DaftrayError as exc:
            log.warning("a blob stays for now: %s", exc.detail, extra={"action": "retention", "key": key})
            return False
        return True
