"""CPU seconds that a cluster set aside for a job: requested CPUs by the time that its tasks and actors ran.

Asked of Ray's state API (``/api/v0/tasks``, ``/api/v0/actors``) and, for the times of actors, of the list
behind the dashboard's page of actors. Ray 2.59 tells of ten thousand tasks at most, and has no cursor: it
is a lower bound then. A task that waits in ``ray.get`` has given its CPU back, and nothing says so: it
counts as one that runs.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TypeVar

import msgspec

from daftray.adapters.rayjobs.rest import Rest
from daftray.adapters.rayjobs.wire import decode
from daftray.domain.cluster import Job, ReservedCpu

MOST = 10_000
"""Entries that Ray gives at most, unless its operator raised the bound on every node."""
_TIMEOUT_S = 30
_ACTORS_AT_ONCE = 100
"""Ids of actors in one address: a longer one is refused."""
_SUPERVISOR = "_ray_internal_job_actor_"
_TASK = "NORMAL_TASK"
"""Actors are counted by their lives: their creation and their calls are tasks to Ray as well."""


class _Resources(msgspec.Struct, frozen=True):
    cpus: float = msgspec.field(name="CPU", default=0)


class _Task(msgspec.Struct, frozen=True):
    type: str = ""
    required_resources: _Resources | None = None
    start_time_ms: float | None = None
    end_time_ms: float | None = None


class _Actor(msgspec.Struct, frozen=True):
    actor_id: str
    required_resources: _Resources | None = None


class _Life(msgspec.Struct, frozen=True, rename="camel"):
    """When an actor became alive and dead, in milliseconds; 0 where it has not."""

    start_time: int = 0
    end_time: int = 0


Entry = TypeVar("Entry", _Task, _Actor)


class _Listed(msgspec.Struct, frozen=True):
    result: list[msgspec.Raw]
    total: int = 0
    num_after_truncation: int = 0
    num_filtered: int = 0


class _ListedData(msgspec.Struct, frozen=True):
    result: _Listed


class _ListedAnswer(msgspec.Struct, frozen=True):
    data: _ListedData


class _LivesData(msgspec.Struct, frozen=True):
    actors: dict[str, _Life]


class _LivesAnswer(msgspec.Struct, frozen=True):
    data: _LivesData


class Reserved:
    """Reads them from one head."""

    def __init__(self, head: Rest) -> None:
        self._head = head

    async def read(self, job: Job, *, at: datetime) -> ReservedCpu:
        """Return what was set aside for a job up to its end, or up to a time while it runs.

        Raises:
            ClusterUnreachableError: no answer comes.
            ClusterRefusedError: the cluster refuses.
        """
        until_ms = int((job.ended_at or at).timestamp() * 1000)
        # The driver's own CPUs are held by its supervisor, which is an actor of another job.
        supervisors, _ = await self._list("actors", _Actor, "name", _SUPERVISOR + job.submission_id)
        tasks, some_tasks, actors, some_actors = list[_Task](), False, list[_Actor](), False
        if job.job_id is not None:
            tasks, some_tasks = await self._list("tasks", _Task, "job_id", job.job_id)
            actors, some_actors = await self._list("actors", _Actor, "job_id", job.job_id)
        lives = await self._lives([*actors, *supervisors], until_ms)
        seconds = sum(lives) + sum(_of_task(task, until_ms) for task in tasks)
        return ReservedCpu(seconds=seconds, partial=some_tasks or some_actors)

    async def _list(self, what: str, kind: type[Entry], key: str, value: str) -> tuple[list[Entry], bool]:
        """Return what there is of a kind with that value, and whether there was more than Ray tells."""
        query: dict[str, str | int] = {
            "limit": MOST,
            "timeout": _TIMEOUT_S,
            "detail": 1,
            "filter_keys": key,
            "filter_predicates": "=",
            "filter_values": value,
        }
        answer = await self._head.get(f"/api/v0/{what}", query=query, read_s=_TIMEOUT_S)
        return await asyncio.to_thread(_entries, answer, kind)

    async def _lives(self, actors: list[_Actor], until_ms: int) -> list[float]:
        """Return the CPU seconds of each actor that has any."""
        cpus = {actor.actor_id: it.cpus for actor in actors if (it := actor.required_resources) and it.cpus}
        found: list[float] = []
        ids = list(cpus)
        for start in range(0, len(ids), _ACTORS_AT_ONCE):
            some = ",".join(ids[start : start + _ACTORS_AT_ONCE])
            answer = await self._head.get("/logical/actors", query={"ids": some, "nocache": 1})
            for actor_id, life in decode(answer, _LivesAnswer).data.actors.items():
                found.append(cpus.get(actor_id, 0) * _seconds(life.start_time, life.end_time, until_ms))
        return found


def _entries(answer: bytes, kind: type[Entry]) -> tuple[list[Entry], bool]:
    listed = decode(answer, _ListedAnswer).data.result
    entries = [decode(bytes(entry), kind) for entry in listed.result]
    more = listed.total > listed.num_after_truncation or listed.num_filtered > len(entries)
    return entries, more


def _of_task(task: _Task, until_ms: int) -> float:
    if task.type != _TASK or task.required_resources is None:
        return 0.0
    return task.required_resources.cpus * _seconds(task.start_time_ms, task.end_time_ms, until_ms)


def _seconds(start_ms: float | None, end_ms: float | None, until_ms: float) -> float:
    """Return how long something ran that may not have ended, or not begun."""
    return max(0, (end_ms or until_ms) - start_ms) / 1000 if start_ms else 0.0
