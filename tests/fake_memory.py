"""What the in-memory stores of one database share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from daftray.domain.audit import AuditEntry
from daftray.domain.connection import Connection
from daftray.domain.errors import RunNotFoundError
from daftray.domain.integration import Integration
from daftray.domain.metrics import UsageSummary
from daftray.domain.price import PriceTable
from daftray.domain.principal import ApiKey
from daftray.domain.problem import ProblemReport
from daftray.domain.project import Project, SealedSecret
from daftray.domain.report import AttemptReports
from daftray.domain.result import RunResult
from daftray.domain.run import Run, RunEvent
from daftray.domain.series import Series
from daftray.domain.task import Task
from daftray.domain.user import Membership, User
from daftray.domain.workspace import Workspace


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 1, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Make it that time."""
        self._now = now

    def move(self, seconds: float) -> datetime:
        """Let seconds pass; return the time after them."""
        self._now += timedelta(seconds=seconds)
        return self._now


@dataclass
class RunRecord:
    """A run with what the store alone knows of it."""

    run: Run
    due_at: datetime | None
    events: list[RunEvent]
    token: str | None = None
    expires_at: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at <= now

    @property
    def woken(self) -> bool:
        return self.due_at is not None and self.expires_at is not None and self.due_at < self.expires_at


def _first_workspace() -> dict[str, Workspace]:
    first = Workspace(id="default", name="default", created_at=datetime(1970, 1, 1, tzinfo=UTC))
    return {first.id: first}


@dataclass
class Memory:
    """What the stores of one database share."""

    projects: dict[str, Project] = field(default_factory=dict)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    secrets: dict[tuple[str, str], SealedSecret] = field(default_factory=dict)
    master_keys: dict[str, SealedSecret] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=_first_workspace)
    users: dict[str, User] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    memberships: dict[tuple[str, str, str | None], Membership] = field(default_factory=dict)
    reports: dict[tuple[str, int], AttemptReports] = field(default_factory=dict)
    results: dict[tuple[str, int], RunResult] = field(default_factory=dict)
    problems: dict[tuple[str, int], list[ProblemReport]] = field(default_factory=dict)
    """Everything that was ever reported: what is true of it is worked out when somebody asks."""
    counters: dict[tuple[str, int, str, str, str], float] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    keys_used: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    keys_made_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    results_came_at: dict[tuple[str, int], datetime] = field(default_factory=dict)
    prices: dict[str, list[PriceTable]] = field(default_factory=dict)
    ended: list[tuple[Run, UsageSummary | None]] = field(default_factory=list)
    """Each run as it ended, with what it had used, for the counts of all runs together."""
    tasks: dict[str, Task] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    removals: set[str] = field(default_factory=set)
    identity: str | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    strict: bool = False
    """Whether whatever hangs on a run or a project needs it to be there, as in a database."""

    def has_ended(self, run_id: str) -> bool:
        return self.runs[run_id].due_at is None

    def need_run(self, run_id: str) -> None:
        if self.strict and run_id not in self.runs:
            raise RunNotFoundError(f"There is no run {run_id}.")
