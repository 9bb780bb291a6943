"""What retention needs of the database and of the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from daftray.domain.ports.sources import GitRepository
from daftray.domain.retention import (
    Holdings,
    Kept,
    Kind,
    LiveSource,
    StoredMirror,
    SubmittedAttempt,
)


class RetentionStore(Protocol):
    """What the database keeps of runs that have ended. Each call is one transaction.

    A removal is in the database before any blob goes: whoever reads is told of it, and the keys of the blobs
    are noted until they are gone, so that a server that dies in between leaves nothing behind.
    """

    async def holdings(self, kind: Kind, *, after: Kept | None = None, limit: int) -> Holdings:
        """Return what is kept of a kind, with at most ``limit`` of the oldest, from behind ``after`` on."""
        ...

    async def remove(
        self,
        kind: Kind,
        choose: Callable[[Holdings], Sequence[Kept]],
        *,
        blobs: Callable[[Kept], str],
        limit: int,
    ) -> list[Kept]:
        """Mark what ``choose`` picks as removed, note the keys of its blobs, and return it.

        One call at a time, over all replicas, so that two of them never count the same bytes.
        """
        ...

    async def pending(self, *, limit: int) -> list[str]:
        """Return keys of blobs that are to go; one that ends in a slash stands for all below it."""
        ...

    async def gone(self, keys: Sequence[str]) -> None:
        """Forget keys whose blobs are gone."""
        ...

    async def old_runs(self, older_than: timedelta) -> tuple[int, int]:
        """Return how many runs ended so long ago, and the bytes of logs and results that they still have."""
        ...

    async def remove_runs(
        self, older_than: timedelta, *, blobs: Callable[[str], str], limit: int
    ) -> tuple[int, int]:
        """Remove the records of the oldest such runs, and note their blobs; return as `old_runs` does."""
        ...

    async def old_keys(self, older_than: timedelta) -> int:
        """Return how many idempotency keys were used so long ago."""
        ...

    async def forget_keys(self, older_than: timedelta, *, limit: int) -> int:
        """Forget the oldest such keys; return how many."""
        ...


class BlobOwners(Protocol):
    """What the database knows of the blobs in the blob store."""

    async def identity(self, candidate: str) -> str:
        """Return the database's own name, which never changes; without one it takes the candidate."""
        ...

    async def unknown_runs(self, run_ids: Sequence[str]) -> set[str]:
        """Return those that are no runs here (any more)."""
        ...

    async def needed_sources(self, project: str, digests: Sequence[str]) -> set[str]:
        """Return those of a project's kept sources that a run is made of, ended or not."""
        ...

    async def live_sources(self) -> list[LiveSource]:
        """Return the Git sources of all runs that go on."""
        ...


class SubmittedJobs(Protocol):
    """What the database knows of jobs that were submitted to a cluster."""

    async def attempts(
        self, cluster: str, asked: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], SubmittedAttempt]:
        """Return those attempts, by run and number, whose runs are known here and are that cluster's."""
        ...


class MirrorCache(Protocol):
    """The Git mirrors on this server's disk, as something that can be made again."""

    def name(self, repository: GitRepository) -> str | None:
        """Return the name of a remote's mirror; nothing where such a remote is not used (any more)."""
        ...

    async def stored(self) -> list[StoredMirror]:
        """Return the mirrors that there are."""
        ...

    async def drop(self, name: str, *, unused_since: datetime) -> bool:
        """Remove a mirror, unless somebody uses it now or has since then; tell whether it is gone."""
        ...
