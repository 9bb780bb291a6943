"""Blobs that nothing needs: of runs that are gone, and what was brought along for runs that are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from daftray.domain.ports import BlobInfo, BlobOwners, BlobStore
from daftray.retention import keys
from daftray.retention.at_once import in_groups
from daftray.retention.policy import RetentionPolicy, older_than
from daftray.retention.tally import Tally

_ASKED_TOGETHER = 500

_Unneeded = Callable[[list[BlobInfo]], Awaitable[list[BlobInfo]]]


class UnneededBlobs:
    """Looks through the blob store, and asks the database what of it is needed.

    A run is in the database before any blob of it is there. What a run brings along comes before the run: it
    is safe by its age alone until the run is there, and so a grace of a day is needed.
    """

    def __init__(self, owners: BlobOwners, blobs: BlobStore, policy: RetentionPolicy) -> None:
        self._owners = owners
        self._blobs = blobs
        self._policy = policy

    async def of_gone_runs(self, tally: Tally, *, now: datetime, dry_run: bool) -> None:
        """Remove what is left of runs that the database does not know any more: their project was deleted."""
        rule = f"their run is gone, {older_than(self._policy.grace)}"
        await self._sift(keys.RUNS, self._of_unknown_runs, tally, ("blobs", rule), now=now, dry_run=dry_run)

    async def sources(self, tally: Tally, *, now: datetime, dry_run: bool) -> None:
        """Remove bundles and patches that no run is made of any more."""
        rule = f"no run is made of them, {older_than(self._policy.grace)}"
        await self._sift(keys.PROJECTS, self._of_no_run, tally, ("sources", rule), now=now, dry_run=dry_run)

    async def _sift(
        self,
        prefix: str,
        unneeded: _Unneeded,
        tally: Tally,
        line: tuple[str, str],
        *,
        now: datetime,
        dry_run: bool,
    ) -> None:
        what, rule = line
        async for some in self._old(prefix, now - self._policy.grace):
            for group in in_groups(await unneeded(some)):
                if not dry_run:
                    await asyncio.gather(*(self._blobs.delete(blob.key) for blob in group))
                tally.add(what, rule, count=len(group), size=sum(blob.size for blob in group))
            if not dry_run and tally.count(what) >= self._policy.most:
                tally.more = True
                return

    async def _old(self, prefix: str, before: datetime) -> AsyncIterator[list[BlobInfo]]:
        some: list[BlobInfo] = []
        async for blob in self._blobs.list(prefix):
            if blob.modified < before:
                some.append(blob)
            if len(some) >= _ASKED_TOGETHER:
                yield some
                some = []
        if some:
            yield some

    async def _of_unknown_runs(self, some: list[BlobInfo]) -> list[BlobInfo]:
        of = {blob.key: run_id for blob in some if (run_id := keys.run_of(blob.key)) is not None}
        unknown = await self._owners.unknown_runs(sorted(set(of.values())))
        return [blob for blob in some if of.get(blob.key) in unknown]

    async def _of_no_run(self, some: list[BlobInfo]) -> list[BlobInfo]:
        digests: dict[str, list[str]] = {}
        of = {blob.key: source for blob in some if (source := keys.source_of(blob.key)) is not None}
        for project, digest in of.values():
            digests.setdefault(project, []).append(digest)
        needed = {
            (project, digest)
            for project, asked in digests.items()
            for digest in await self._owners.needed_sources(project, asked)
        }
        return [blob for blob in some if blob.key in of and of[blob.key] not in needed]
