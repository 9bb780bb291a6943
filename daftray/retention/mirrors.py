"""Git mirrors on this server's disk: they can be made again, while their remotes are there."""

from __future__ import annotations

from datetime import datetime, timedelta

from daftray.domain.ports import BlobOwners, GitRepository, MirrorCache
from daftray.retention.policy import RetentionPolicy, choose
from daftray.retention.tally import Tally

IDLE_FOR = timedelta(hours=1)
"""A mirror that was used within that time stays, however large all of them are."""


class MirrorsOnDisk:
    """Keeps the mirrors from filling the disk. A run that goes on keeps the one that its commit is in."""

    def __init__(self, owners: BlobOwners, mirrors: MirrorCache, policy: RetentionPolicy) -> None:
        self._owners = owners
        self._mirrors = mirrors
        self._policy = policy

    async def trim(self, tally: Tally, *, now: datetime, dry_run: bool) -> None:
        """Remove mirrors that were not used for long, and the longest unused while all are too large."""
        bound = self._policy.mirrors
        if bound.age is None and bound.size is None:
            return
        stored = await self._mirrors.stored()
        needed = await self._needed()
        free = [one for one in stored if one.name not in needed and now - one.since > IDLE_FOR]
        free.sort(key=lambda one: (one.since, one.name))
        for one in choose(free, bound, now=now, total=sum(each.size for each in stored)):
            if dry_run or await self._mirrors.drop(one.kept.name, unused_since=one.kept.since):
                tally.add("mirrors", bound.by_age if one.too_old else bound.by_size, size=one.kept.size)

    async def _needed(self) -> set[str | None]:
        live = await self._owners.live_sources()
        return {self._mirrors.name(GitRepository(project=one.project, remote=one.git.remote)) for one in live}
