"""Where everything else is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.metrics import UsageSummary
from daftray.domain.problem import ProblemReport
from daftray.domain.project import Project
from daftray.domain.report import AttemptReports, FinishedReport, StartedReport
from daftray.domain.result import RunResult
from daftray.domain.series import Series


class ProjectStore(Protocol):
    """Projects."""

    async def add(self, project: Project) -> None:
        """Keep a new project. Raises `NameTakenError`."""
        ...

    async def get(self, workspace: str, id_or_name: str) -> Project:
        """Return a project of a workspace. Raises `ProjectNotFoundError`."""
        ...

    async def by_id(self, project_id: str) -> Project:
        """Return a project. Raises `ProjectNotFoundError`."""
        ...

    async def list(
        self, workspace: str, *, limit: int, offset: int, only: frozenset[str] | None = None
    ) -> list[Project]:
        """Return projects by name; where ids are given, those among them alone."""
        ...

    async def save(self, project: Project) -> None:
        """Write a changed project. Raises `NameTakenError`, `ProjectNotFoundError`."""
        ...

    async def delete(self, project_id: str) -> None:
        """Remove a project and all that hangs on it. Raises `ConflictError` while a run of it goes on."""
        ...


class ReportStore(Protocol):
    """What runs reported. Every write may come twice, late, or out of order."""

    async def started(self, run_id: str, report: StartedReport) -> None:
        """Keep the first such report of an attempt."""
        ...

    async def finished(self, run_id: str, report: FinishedReport, problem: ProblemReport | None) -> None:
        """Keep the first such report of an attempt; fold the problem in that ended it (`ProblemStore`)."""
        ...

    async def reports(self, run_id: str, attempt: int) -> AttemptReports:
        """Return what has come in of an attempt."""
        ...

    async def put_result(self, run_id: str, result: RunResult) -> None:
        """Keep an attempt's result. One of an older attempt never replaces a newer one's."""
        ...

    async def result(self, run_id: str) -> RunResult | None:
        """Return the result of the newest attempt that has one."""
        ...

    async def count(self, run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        """Fold counters in: for each process, metric and attributes the greatest value wins.

        They show that an attempt that has started is alive (`AttemptReports.heard_at`).
        """
        ...

    async def totals(self, run_id: str) -> list[CounterTotal]:
        """Return a run's counters, summed over the processes of each attempt."""
        ...

    async def sample(self, run_id: str, usage: UsageSummary) -> Series:
        """Note in a run's series what it has used by now, by the store's clock, where a step has passed.

        Returns the series as it is now.
        """
        ...

    async def series(self, run_id: str) -> Series:
        """Return what a run had used at which time."""
        ...


class BlobInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A blob in a list: its key, its bytes, and when it was put, by the store's clock."""

    key: str
    size: int
    modified: datetime


class BlobStore(Protocol):
    """Bytes under keys (``runs/…/log/…``)."""

    async def put(self, key: str, data: bytes) -> None:
        """Keep bytes, whole or not at all, in place of what was there."""
        ...

    async def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes."""
        ...

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return bytes ``start`` to ``end`` (exclusive). Raises `BlobNotFoundError`."""
        ...

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces. Raises `BlobNotFoundError`."""
        ...

    async def size(self, key: str) -> int | None:
        """Return how many bytes a key holds, or nothing where there is no such key."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a key; one that is not there is fine."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield the blobs below a prefix, which ends in a slash, in no order.

        What comes or goes meanwhile may be among them or not.
        """
        ...


class Pinged(Protocol):
    """Something whose answer tells whether it works."""

    async def ping(self) -> None:
        """Return when it answers. Raises `DaftrayError`."""
        ...
