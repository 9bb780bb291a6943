"""Packages in the blob store: they can be made again, but for runs whose commit may be gone by now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from daftray.domain.ports import BlobInfo, BlobOwners, BlobStore
from daftray.domain.retention import LiveSource, kept_digest
from daftray.retention.at_once import in_groups
from daftray.retention.policy import RetentionPolicy, choose
from daftray.retention.tally import Tally
from daftray.runtime_env.packages import key_of
from daftray.runtime_env.shared_packages import PREFIX, blobs_of


@dataclass(frozen=True)
class _Package:
    """A blob of a package. Its age counts from when it was put."""

    blob: BlobInfo

    @property
    def size(self) -> int:
        return self.blob.size

    @property
    def since(self) -> datetime:
        return self.blob.modified


class PackagesInBlobs:
    """Keeps what servers share by the blob store (`SharedPackages`) from growing for ever."""

    def __init__(self, owners: BlobOwners, blobs: BlobStore, policy: RetentionPolicy) -> None:
        self._owners = owners
        self._blobs = blobs
        self._policy = policy

    async def trim(self, tally: Tally, *, now: datetime, dry_run: bool) -> None:
        """Remove packages that are too old or too much, but for those of runs that go on."""
        bound = self._policy.packages
        found = [_Package(blob) async for blob in self._blobs.list(PREFIX)]
        if not found or (bound.age is None and bound.size is None):
            return
        needed = await self._needed()  # after the list: what a run has found since then is among them
        free = [one for one in found if one.blob.key not in needed and now - one.since > self._policy.grace]
        free.sort(key=lambda one: (one.since, one.blob.key))
        choices = list(choose(free, bound, now=now, total=sum(one.size for one in found)))
        for group in in_groups(choices):
            if not dry_run:
                await asyncio.gather(*(self._blobs.delete(one.kept.blob.key) for one in group))
            for one in group:
                tally.add("packages", bound.by_age if one.too_old else bound.by_size, size=one.kept.size)

    async def _needed(self) -> set[str]:
        """Return the blobs of the packages of runs that go on."""
        keys = {key for live in await self._owners.live_sources() if (key := _package_key(live)) is not None}
        needed: set[str] = set()
        for group in in_groups(sorted(keys)):
            needed.update(*await asyncio.gather(*(blobs_of(self._blobs, key) for key in group)))
        return needed


def _package_key(live: LiveSource) -> str | None:
    """Return the key of a run's package; there is none before its commit is known."""
    if live.commit is None:
        return None
    return key_of(live.project, live.commit, kept_digest(live.git.patch) or "")
