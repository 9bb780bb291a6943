"""A server's keepings in memory: runs with logs and results in a blob store, and the retention over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ended_runs import DAY, keep
from factories import NOW, a_project
from fake_ray import FakeRayJobs
from fakes import FakeClock, InMemoryBlobs
from stores import Stores, memory_stores

from daftray.domain.ids import Ids
from daftray.domain.ports import BlobOwners, BlobStore, GitRepository, RetentionStore
from daftray.domain.result import RunResult
from daftray.domain.retention import StoredMirror
from daftray.domain.run import Run
from daftray.logs.chunks import growing_key
from daftray.metrics.outcomes import result_key
from daftray.retention.collector import Retention
from daftray.retention.janitor import Janitor
from daftray.retention.ownership import OWNER
from daftray.retention.policy import Bound, RetentionPolicy

__all__ = ["DAY", "Bound", "FakeMirrorCache", "RetentionPolicy", "World"]


class FakeMirrorCache:
    """Mirrors by name, of remotes that are called so."""

    def __init__(self) -> None:
        self.mirrors: dict[str, StoredMirror] = {}
        self.in_use: set[str] = set()

    def add(self, name: str, *, size: int, used: datetime) -> None:
        self.mirrors[name] = StoredMirror(name=name, size=size, since=used)

    def name(self, repository: GitRepository) -> str | None:
        return f"{repository.project}:{repository.remote}" if repository.remote else None

    async def stored(self) -> list[StoredMirror]:
        return list(self.mirrors.values())

    async def drop(self, name: str, *, unused_since: datetime) -> bool:
        if name in self.in_use or name not in self.mirrors or self.mirrors[name].since > unused_since:
            return False
        del self.mirrors[name]
        return True


class World:
    """``put`` puts a blob some days ago; `add` keeps runs with the logs that their attempts tell of."""

    def __init__(self) -> None:
        self.stores: Stores = memory_stores()
        self.clock: FakeClock = self.stores.clock
        self.blobs = InMemoryBlobs(self.clock)
        self.rayjobs = FakeRayJobs()
        self.mirrors = FakeMirrorCache()

    async def open(self) -> World:
        await self.stores.projects.add(a_project(id="prj_demo"))
        return self

    async def put(self, key: str, data: bytes, *, days_ago: float = 0) -> None:
        self.clock.set(NOW - days_ago * DAY)
        await self.blobs.put(key, data)
        self.clock.set(NOW)

    async def add(self, *runs: Run) -> None:
        await keep(self.stores, *runs)
        for run in runs:
            for one in run.attempts:
                if one.log_size:
                    await self.blobs.put(log_key(run, one.number, one.log_size), b"x" * one.log_size)

    async def add_result(self, run: Run, *, size: int, at: datetime, attempt: int = 1) -> None:
        self.clock.set(at)
        await self.blobs.put(result_key(run.id, attempt), b"x" * size)
        result = RunResult(kind="artifact", attempt=attempt, size=size, data=True)
        await self.stores.reports.put_result(run.id, result)
        self.clock.set(NOW)

    def retention(
        self,
        policy: RetentionPolicy,
        *,
        store: RetentionStore | None = None,
        owners: BlobOwners | None = None,
        blobs: BlobStore | None = None,
    ) -> Retention:
        return Retention(
            store=store or self.stores.retention,
            owners=owners or self.stores.owners,
            blobs=blobs or self.blobs,
            mirrors=self.mirrors,
            janitor=self.janitor(),
            policy=policy,
            clock=self.clock,
            ids=Ids(),
        )

    def janitor(self, grace: timedelta = timedelta(minutes=10)) -> Janitor:
        return Janitor(rayjobs=self.rayjobs, submitted=self.stores.submitted, cluster="local", grace=grace)

    def kept(self) -> Mapping[str, bytes]:
        """Return the blobs that there are, but for the one that names their owner."""
        return {key: data for key, data in self.blobs.blobs.items() if key != OWNER}


def log_key(run: Run, attempt: int, size: int) -> str:
    return growing_key(run.id, attempt, 0, size)
