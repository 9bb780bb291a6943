"""Projects, secrets, keys and reports in memory."""

from __future__ import annotations

import math
from collections import Counter as Counts
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from fake_memory import Memory
from fake_problems import add_problems
from msgspec.structs import replace

from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.errors import (
    ConflictError,
    InvalidInputError,
    KeyNotFoundError,
    NameTakenError,
    ProjectNotFoundError,
    SecretNotFoundError,
)
from daftray.domain.metrics import UsageSummary
from daftray.domain.principal import ApiKey
from daftray.domain.problem import ProblemReport
from daftray.domain.project import Project, SealedSecret
from daftray.domain.report import AttemptReports, FinishedReport, StartedReport
from daftray.domain.result import RunResult
from daftray.domain.series import Series

Key = TypeVar("Key", bound=tuple[object, ...])
Value = TypeVar("Value")


class InMemoryProjectStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._projects = self._memory.projects

    async def add(self, project: Project) -> None:
        self._check_name(project)
        if project.id in self._projects:
            raise NameTakenError
        self._projects[project.id] = project

    async def get(self, workspace: str, id_or_name: str) -> Project:
        of_workspace = [project for project in self._projects.values() if project.workspace == workspace]
        for project in of_workspace:
            if project.id == id_or_name:
                return project
        for project in of_workspace:
            if project.name == id_or_name:
                return project
        raise ProjectNotFoundError

    async def by_id(self, project_id: str) -> Project:
        if project_id not in self._projects:
            raise ProjectNotFoundError
        return self._projects[project_id]

    async def list(
        self, workspace: str, *, limit: int, offset: int, only: frozenset[str] | None = None
    ) -> list[Project]:
        found = [project for project in self._projects.values() if project.workspace == workspace]
        found = [project for project in found if only is None or project.id in only]
        return sorted(found, key=lambda project: project.name)[offset : offset + limit]

    async def save(self, project: Project) -> None:
        before = await self.by_id(project.id)
        self._check_name(project)
        self._projects[project.id] = replace(before, name=project.name, source=project.source)

    async def delete(self, project_id: str) -> None:
        memory = self._memory
        runs = {run_id for run_id, record in memory.runs.items() if record.run.project == project_id}
        if any(memory.runs[run_id].due_at is not None for run_id in runs):
            raise ConflictError
        self._projects.pop(project_id, None)
        memory.prices.pop(project_id, None)
        for membership in [key for key in memory.memberships if key[2] == project_id]:
            del memory.memberships[membership]
        for key in [key for key in memory.keys.values() if key.project == project_id]:
            del memory.keys[key.id]
        memory.ended = [(run, usage) for run, usage in memory.ended if run.project != project_id]
        tasks = {task.id for task in memory.tasks.values() if task.project == project_id}
        gone = {project_id, *runs, *tasks}
        forget_owners(memory, gone)
        for connection in [one for one in memory.connections.values() if one.project == project_id]:
            del memory.connections[connection.id]
        for run_id in runs:
            del memory.runs[run_id]
        for task_id in tasks:
            del memory.tasks[task_id]

    def _check_name(self, project: Project) -> None:
        for other in self._projects.values():
            if (other.workspace, other.name) == (project.workspace, project.name) and other.id != project.id:
                raise NameTakenError


def forget_owners(memory: Memory, gone: set[str]) -> None:
    """Forget what hangs on projects or runs."""
    _forget(memory.secrets, gone)
    _forget(memory.reports, gone)
    _forget(memory.results, gone)
    _forget(memory.problems, gone)
    _forget(memory.counters, gone)
    for owner in gone:
        memory.series.pop(owner, None)


def _forget(table: dict[Key, Value], owners: set[str]) -> None:
    for key in [key for key in table if key[0] in owners]:
        del table[key]


class InMemorySecretStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._secrets = (memory or Memory()).secrets

    async def put(self, secret: SealedSecret) -> None:
        before = self._secrets.get((secret.owner, secret.name), secret)
        self._secrets[secret.owner, secret.name] = replace(secret, created_at=before.created_at)

    async def list(self, owner: str) -> list[SealedSecret]:
        return [
            secret for (of, _), secret in sorted(self._secrets.items(), key=lambda one: one[0]) if of == owner
        ]

    async def delete(self, owner: str, name: str) -> None:
        if self._secrets.pop((owner, name), None) is None:
            raise SecretNotFoundError

    async def counts(self) -> dict[str, int]:
        return dict(Counts(secret.key_id for secret in self._secrets.values()))

    async def not_under(
        self, key_id: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[SealedSecret]:
        found = [
            one for place, one in sorted(self._secrets.items()) if place > after and one.key_id != key_id
        ]
        return found[:limit]

    async def reseal(self, before: SealedSecret, after: SealedSecret) -> bool:
        now = self._secrets.get((before.owner, before.name))
        if now is None or now.ciphertext != before.ciphertext:
            return False
        self._secrets[before.owner, before.name] = replace(
            now, key_id=after.key_id, ciphertext=after.ciphertext
        )
        return True


class InMemoryMasterKeyStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._records = (memory or Memory()).master_keys

    async def enter(self, record: SealedSecret, *, known: Collection[str]) -> list[SealedSecret]:
        if self._records.keys() <= set(known):
            self._records.setdefault(record.key_id, record)
        return await self.list()

    async def list(self) -> list[SealedSecret]:
        return [record for _, record in sorted(self._records.items())]

    async def remove(self, key_id: str) -> bool:
        return self._records.pop(key_id, None) is not None


class InMemoryKeyStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._keys = (memory or Memory()).keys

    async def add(self, key: ApiKey) -> None:
        if key.id in self._keys:
            raise ConflictError
        self._keys[key.id] = key

    async def get(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    async def list(self, workspace: str) -> list[ApiKey]:
        found = [key for key in self._keys.values() if key.workspace == workspace]
        return sorted(found, key=lambda key: key.id)

    async def revoke(self, key_id: str, at: datetime) -> None:
        if key_id not in self._keys:
            raise KeyNotFoundError
        key = self._keys[key_id]
        self._keys[key_id] = replace(key, revoked_at=key.revoked_at or at)

    async def used(self, key_id: str, at: datetime) -> None:
        key = self._keys.get(key_id)
        if key and (key.last_used_at is None or key.last_used_at < at):
            self._keys[key_id] = replace(key, last_used_at=at)


class InMemoryReportStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()

    async def started(self, run_id: str, report: StartedReport) -> None:
        self._memory.need_run(run_id)
        known = await self.reports(run_id, report.attempt)
        if known.started is None:
            self._memory.reports[run_id, report.attempt] = replace(known, started=report)

    async def finished(self, run_id: str, report: FinishedReport, problem: ProblemReport | None) -> None:
        self._memory.need_run(run_id)
        known = await self.reports(run_id, report.attempt)
        if known.finished is not None:
            return
        self._memory.reports[run_id, report.attempt] = replace(known, finished=report)
        if problem is not None:
            add_problems(self._memory, run_id, report.attempt, [problem])

    async def reports(self, run_id: str, attempt: int) -> AttemptReports:
        return self._memory.reports.get((run_id, attempt), AttemptReports())

    async def put_result(self, run_id: str, result: RunResult) -> None:
        self._memory.need_run(run_id)
        self._memory.results[run_id, result.attempt] = replace(result, removed_at=None)
        self._memory.results_came_at[run_id, result.attempt] = self._memory.clock.now()

    async def result(self, run_id: str) -> RunResult | None:
        of_run = {attempt: result for (of, attempt), result in self._memory.results.items() if of == run_id}
        return of_run[max(of_run)] if of_run else None

    async def count(self, run_id: str, attempt: int, counters: Sequence[Counter]) -> None:
        if not counters:
            return
        if not all(math.isfinite(counter.value) for counter in counters):
            raise InvalidInputError
        self._memory.need_run(run_id)
        for counter in counters:
            attributes = msgspec.json.encode(counter.attributes, order="deterministic").decode()
            key = (run_id, attempt, counter.process, counter.metric, attributes)
            self._memory.counters[key] = max(counter.value, self._memory.counters.get(key, counter.value))
        known = self._memory.reports.get((run_id, attempt))
        if known is not None:
            self._memory.reports[run_id, attempt] = replace(known, heard_at=self._memory.clock.now())

    async def totals(self, run_id: str) -> list[CounterTotal]:
        sums: dict[tuple[str, str, int], float] = {}
        for (of, attempt, _, metric, attributes), value in self._memory.counters.items():
            if of == run_id:
                key = (metric, attributes, attempt)
                sums[key] = sums.get(key, 0.0) + value
        return [
            CounterTotal(
                metric=metric,
                attributes=msgspec.json.decode(attributes, type=dict[str, str]),
                value=value,
                attempt=attempt,
            )
            for (metric, attributes, attempt), value in sorted(sums.items())
        ]

    async def sample(self, run_id: str, usage: UsageSummary) -> Series:
        self._memory.need_run(run_id)
        grown = (await self.series(run_id)).grown(self._memory.clock.now(), usage)
        self._memory.series[run_id] = grown
        return grown

    async def series(self, run_id: str) -> Series:
        return self._memory.series.get(run_id, Series())
