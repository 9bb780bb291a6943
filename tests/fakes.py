"""The ports in memory: quick, and held to the same contract tests as the real adapters.

`InMemoryStores` shares one `Memory`, as the tables of a database share one file: projects are known to
runs, and their runs go with them. A store that is made alone (``InMemoryRunStore()``) takes whatever it is
given. The Ray cluster's fake is in ``fake_ray.py``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from fake_connections import InMemoryConnectionStore
from fake_memory import FakeClock, Memory
from fake_people import (
    FakePasswords,
    InMemoryAuditStore,
    InMemoryMembershipStore,
    InMemoryUserStore,
    InMemoryWorkspaceStore,
)
from fake_prices import InMemoryPriceStore, InMemoryTallyStore
from fake_problems import InMemoryProblemStore
from fake_retention import InMemoryBlobOwners, InMemoryRetentionStore, InMemorySubmittedJobs
from fake_runs import InMemoryRunStore
from fake_stores import (
    InMemoryKeyStore,
    InMemoryMasterKeyStore,
    InMemoryProjectStore,
    InMemoryReportStore,
    InMemorySecretStore,
)
from fake_tasks import InMemoryIntegrationStore, InMemoryTaskStore

from daftray.domain.errors import BlobNotFoundError
from daftray.domain.ports import BlobInfo

__all__ = [
    "FakeClock",
    "FakePasswords",
    "InMemoryAuditStore",
    "InMemoryBlobs",
    "InMemoryConnectionStore",
    "InMemoryIntegrationStore",
    "InMemoryKeyStore",
    "InMemoryMasterKeyStore",
    "InMemoryMembershipStore",
    "InMemoryPriceStore",
    "InMemoryProblemStore",
    "InMemoryProjectStore",
    "InMemoryReportStore",
    "InMemoryRunStore",
    "InMemorySecretStore",
    "InMemoryStores",
    "InMemoryTallyStore",
    "InMemoryTaskStore",
    "InMemoryUserStore",
    "InMemoryWorkspaceStore",
    "Memory",
]


class InMemoryStores:
    """All the stores of one database."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        memory = Memory(strict=True, clock=clock or FakeClock())
        self.projects = InMemoryProjectStore(memory)
        self.runs = InMemoryRunStore(memory)
        self.secrets = InMemorySecretStore(memory)
        self.master_keys = InMemoryMasterKeyStore(memory)
        self.keys = InMemoryKeyStore(memory)
        self.workspaces = InMemoryWorkspaceStore(memory)
        self.users = InMemoryUserStore(memory)
        self.audit = InMemoryAuditStore(memory)
        self.memberships = InMemoryMembershipStore(memory)
        self.reports = InMemoryReportStore(memory)
        self.problems = InMemoryProblemStore(memory)
        self.prices = InMemoryPriceStore(memory)
        self.connections = InMemoryConnectionStore(memory)
        self.tallies = InMemoryTallyStore(memory)
        self.tasks = InMemoryTaskStore(memory)
        self.integrations = InMemoryIntegrationStore(memory)
        self.retention = InMemoryRetentionStore(memory)
        self.owners = InMemoryBlobOwners(memory)
        self.submitted = InMemorySubmittedJobs(memory)


class InMemoryBlobs:
    """Bytes under keys. ``blobs`` is there for tests to look at, and so is when each was ``put_at``."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.blobs: dict[str, bytes] = {}
        self.put_at: dict[str, datetime] = {}
        self._clock = clock or FakeClock(datetime.now(UTC))

    async def put(self, key: str, data: bytes) -> None:
        self.blobs[_checked(key)] = bytes(data)
        self.put_at[key] = self._clock.now()

    async def put_file(self, key: str, path: Path) -> None:
        await self.put(key, await asyncio.to_thread(path.read_bytes))

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        if _checked(key) not in self.blobs:
            raise BlobNotFoundError(f"There is no blob {key}.")
        return self.blobs[key][start:end]

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        whole = await self.get(key)
        for start in range(0, len(whole), 1 << 16):
            yield whole[start : start + (1 << 16)]

    async def size(self, key: str) -> int | None:
        return len(self.blobs[key]) if _checked(key) in self.blobs else None

    async def delete(self, key: str) -> None:
        self.blobs.pop(_checked(key), None)

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        if not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} is no prefix")
        _checked(prefix[:-1])
        for key in [key for key in self.blobs if key.startswith(prefix)]:
            yield BlobInfo(key=key, size=len(self.blobs[key]), modified=self.put_at[key])


def _checked(key: str) -> str:
    """Refuse what the real store refuses, so that no test passes with a key that does not work."""
    if not all(re.fullmatch(r"[A-Za-z0-9._-]+", part) and part.strip(".") for part in key.split("/")):
        raise ValueError(f"{key!r} is no key for a blob")
    return key
