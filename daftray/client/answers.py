"""The few types of the client that the domain has no need of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime

import msgspec

from daftray.domain.api_key import KeyInfo
from daftray.domain.audit import AuditEntry
from daftray.domain.connection import ConnectionSort
from daftray.domain.integration import Integration
from daftray.domain.price import PriceTable
from daftray.domain.problem import Problem, ProblemComparison
from daftray.domain.project import Project, Secret
from daftray.domain.run import Run, RunEvent
from daftray.domain.task import TaskView
from daftray.domain.trigger import Outlook, Trigger
from daftray.domain.user import Member, UserInfo
from daftray.domain.workspace import Workspace


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the client is with a server that does not answer.

    A call that may be repeated is tried ``attempts`` times. A log that is followed and a run that is waited
    for survive ``patience`` failures in a row. Pauses grow from ``base_s`` to ``most_s`` seconds.
    """

    attempts: int = 3
    patience: int = 60
    base_s: float = 0.2
    most_s: float = 5.0

    def pause_s(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row, with jitter against stampedes."""
        longest = min(self.most_s, self.base_s * 2 ** min(failures, 16))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load, guards nothing)


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some runs, newest first, and the cursor that the next page starts at."""

    runs: list[Run]
    next_cursor: str | None = None
    page: int | None = None
    page_size: int | None = None

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a run's log, without its newline.

    ``offset`` is that of the byte after it in the log of its ``attempt``.
    """

    offset: int
    timestamp: datetime
    message: str
    attempt: int = 1


class LogMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a log that holds the text looked for: its number from 1, and the byte that it begins at."""

    line: int
    offset: int
    message: str


class LogMatches(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a log that hold a text; ``more`` where the server stopped before the log's end."""

    matches: list[LogMatch]
    more: bool = False

    def __iter__(self) -> Iterator[LogMatch]:
        return iter(self.matches)

    def __len__(self) -> int:
        return len(self.matches)


class RunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"run": …}``."""

    run: Run


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"run_ids": […]}``."""

    run_ids: list[str]


class ProblemsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"problems": […]}``, and beside those of another run where one was named."""

    problems: list[Problem]
    comparison: ProblemComparison | None = None


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"events": […]}``."""

    events: list[RunEvent]


class ProjectsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"projects": […]}``."""

    projects: list[Project]


class PriceVersionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"versions": […]}``."""

    versions: list[PriceTable]


class SecretsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"secrets": […]}``."""

    secrets: list[Secret]


class UsersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of users."""

    users: list[UserInfo]
    next_cursor: str | None = None


class KeysAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"api_keys": […]}``."""

    api_keys: list[KeyInfo]


class WorkspacesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"workspaces": […]}``."""

    workspaces: list[Workspace]


class MembersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"members": […]}``."""

    members: list[Member]


class AuditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the audit log, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None = None


class TasksAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"tasks": […]}``."""

    tasks: list[TaskView]


class TaskTriggers(msgspec.Struct, frozen=True, kw_only=True):
    """A task's triggers, and for each of them, in their order, what comes of it."""

    triggers: list[Trigger]
    outlook: list[Outlook]


class ConnectionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"data_sources": […]}`` or ``{"catalogs": […]}``, not yet read any further."""

    data_sources: list[dict[str, object]] = msgspec.field(default_factory=list[dict[str, object]])
    catalogs: list[dict[str, object]] = msgspec.field(default_factory=list[dict[str, object]])

    def of(self, sort: ConnectionSort) -> list[dict[str, object]]:
        """Return those of a sort."""
        return self.catalogs if sort is ConnectionSort.CATALOG else self.data_sources


class IntegrationsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``{"integrations": […]}``."""

    integrations: list[Integration]


class LogEndData(msgspec.Struct, frozen=True, kw_only=True):
    """What the last event of an attempt's log carries: how the attempt ended."""

    status: str = ""


class LogEventData(msgspec.Struct, frozen=True, kw_only=True):
    """What a server-sent event of a log carries."""

    timestamp: datetime
    message: str
