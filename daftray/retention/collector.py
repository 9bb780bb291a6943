"""One pass of retention over everything, and the loop that takes them.

A pass may be cut off anywhere, and several servers may be at it at the same time: what it finds to remove it
finds again, and what it has noted to remove stays noted.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from daftray.domain.errors import ClusterError
from daftray.domain.ids import Ids
from daftray.domain.ports import BlobOwners, BlobStore, Clock, MirrorCache, RetentionStore
from daftray.domain.retention import Collected, Removed
from daftray.retention.ended_runs import EndedRuns
from daftray.retention.janitor import Janitor
from daftray.retention.mirrors import MirrorsOnDisk
from daftray.retention.noted_blobs import NotedBlobs
from daftray.retention.ownership import NOT_OURS, is_ours
from daftray.retention.packages import PackagesInBlobs
from daftray.retention.policy import RetentionPolicy
from daftray.retention.tally import Tally
from daftray.retention.unneeded import UnneededBlobs

log = logging.getLogger(__name__)

FIRST_AFTER = timedelta(seconds=30)
SOON = timedelta(seconds=5)
"""Between two passes where the first one left something."""
THOROUGH_EVERY = timedelta(hours=6)
"""How often a pass looks through the blob store and the disk, which may take minutes."""


class Retention:
    """Lets go of what the policy does not keep. ``mirrors`` is None where the server has none of its own."""

    def __init__(
        self,
        *,
        store: RetentionStore,
        owners: BlobOwners,
        blobs: BlobStore,
        mirrors: MirrorCache | None,
        janitor: Janitor,
        policy: RetentionPolicy,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._owners = owners
        self._blobs = blobs
        self._janitor = janitor
        self._policy = policy
        self._clock = clock
        self._ids = ids
        self._ended = EndedRuns(store, policy)
        self._noted = NotedBlobs(store, blobs)
        self._unneeded = UnneededBlobs(owners, blobs, policy)
        self._packages = PackagesInBlobs(owners, blobs, policy)
        self._mirrors = None if mirrors is None else MirrorsOnDisk(owners, mirrors, policy)
        self._turn = asyncio.Lock()
        self._thorough_at: datetime | None = None

    async def collect(self, *, dry_run: bool) -> Collected:
        """Take a thorough pass, Ray's records of jobs included, or tell what it would do.

        Raises:
            StoreUnavailableError: the database or the blob store is away.
        """
        tally = Tally()
        async with self._turn:
            notes = await self._pass(tally, thorough=True, dry_run=dry_run)
        try:
            await self._janitor.tidy(tally, dry_run=dry_run)
        except ClusterError as exc:
            notes.append(f"Ray's records of jobs were not looked at: {exc.detail}")
        return Collected(dry_run=dry_run, removed=tally.removed(), more=tally.more, notes=tuple(notes))

    async def serve(self) -> None:
        """Take passes for ever."""
        pause = FIRST_AFTER
        while True:
            await asyncio.sleep(pause.total_seconds())
            pause = SOON if await self.take_turn() else self._policy.every

    async def take_turn(self) -> bool:
        """Take one pass of the loop; tell whether it left something. A pass that fails is told of alone."""
        tally = Tally()
        now = self._clock.now()
        thorough = self._thorough_at is None or now - self._thorough_at >= THOROUGH_EVERY
        try:
            async with self._turn:
                notes = await self._pass(tally, thorough=thorough, dry_run=False)
        except Exception:
            log.exception("retention is tried again later", extra={"action": "retention"})
            return False
        finally:
            for line in tally.removed():
                log.info("removed %s", line.what, extra=_fields(line))
        for note in notes:
            log.warning(note, extra={"action": "retention"})
        if thorough and not tally.more:
            self._thorough_at = now
        return tally.more

    async def _pass(self, tally: Tally, *, thorough: bool, dry_run: bool) -> list[str]:
        """Apply all rules; return what was left out. What is noted to go is removed at the end of it."""
        notes: list[str] = []
        now = self._clock.now()
        await self._ended.trim("logs", self._policy.logs, tally, dry_run=dry_run)
        await self._ended.trim("results", self._policy.results, tally, dry_run=dry_run)
        if thorough:
            # Before runs go, so that a run that is just made of one of them finds what that brought along.
            if await is_ours(self._owners, self._blobs, self._ids):
                await self._unneeded.of_gone_runs(tally, now=now, dry_run=dry_run)
                await self._unneeded.sources(tally, now=now, dry_run=dry_run)
                await self._packages.trim(tally, now=now, dry_run=dry_run)
            else:
                notes.append(NOT_OURS)
            if self._mirrors is not None:
                await self._mirrors.trim(tally, now=now, dry_run=dry_run)
        await self._ended.forget_keys(tally, dry_run=dry_run)
        await self._ended.remove_runs(tally, dry_run=dry_run)
        if not dry_run and await self._noted.remove(most=self._policy.most):
            tally.more = True
        return notes


def _fields(line: Removed) -> dict[str, object]:
    return {"action": "retention", "rule": line.rule, "count": line.count, "bytes": line.size}
