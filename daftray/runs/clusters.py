"""The cluster as people look at it: does it answer, what is it, what has it, and what runs there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from daftray.domain.cluster import ClusterInfo, ClusterNode, ClusterResources
from daftray.domain.errors import ClusterError
from daftray.domain.ports import Clock, RayJobs, RunStore
from daftray.domain.queue import ClusterLoad, ClusterQueue
from daftray.runs.admission import Room
from daftray.runs.context import Policy

ANSWERS_WITHIN_S = 3.0
"""For each question; they are asked together. Who looks at a page waits no longer than that."""
FRESH_FOR = timedelta(seconds=2)
"""How old an answer may be: however many look, the head is asked no more often."""

Answer = TypeVar("Answer")


class ClusterAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster answered; None is what it did not. ``took_s`` is how long the first answer took.

    ``trouble`` says why it does not answer, or why it tells less than it might.
    """

    info: ClusterInfo | None = None
    took_s: float | None = None
    resources: ClusterResources | None = None
    nodes: tuple[ClusterNode, ...] | None = None
    trouble: str | None = None


class ClusterSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster at one moment: what it said last, and what daftray itself knows of its runs.

    ``silent_since`` is since when it is known not to answer. ``left`` counts the runs that could start now.
    ``dashboard`` is the address of Ray's own pages about it, where there are any. Memory is in bytes.
    """

    name: str
    answers: ClusterAnswers
    silent_since: datetime | None
    heard_at: datetime | None
    load: ClusterLoad
    places: int
    head_reserve: int
    memory_per_run: int
    left: int
    dashboard: str | None


class Clusters:
    """Looks at the one cluster of this server. It remembers since when there is no answer."""

    def __init__(
        self, *, rayjobs: RayJobs, runs: RunStore, clock: Clock, cluster: str, policy: Policy
    ) -> None:
        self._rayjobs = rayjobs
        self._runs = runs
        self._clock = clock
        self._cluster = cluster
        self._policy = policy
        self._asking = asyncio.Lock()
        self._known = ClusterAnswers()
        self._asked_at: datetime | None = None
        self._silent_since: datetime | None = None
        self._heard_at: datetime | None = None

    async def look(self) -> ClusterSeen:
        """Return what there is to see; a cluster that does not answer is no error here."""
        answers, load = await asyncio.gather(self._fresh(), self._runs.load(self._cluster))
        since = [at for at in (self._silent_since, load.silent_since) if at is not None]
        return ClusterSeen(
            name=self._cluster,
            answers=answers,
            silent_since=None if answers.info else min(since, default=None),
            heard_at=self._heard_at,
            load=load,
            places=self._policy.max_running,
            head_reserve=self._policy.head_reserve,
            memory_per_run=self._policy.memory_per_run,
            left=self._room(answers.resources).left(
                ClusterQueue(running=load.running, starting=load.starting)
            ),
            dashboard=self._rayjobs.dashboard_url() or None,
        )

    async def _fresh(self) -> ClusterAnswers:
        async with self._asking:  # one asks for all that look meanwhile
            now = self._clock.now()
            if self._asked_at is None or not timedelta(0) <= now - self._asked_at < FRESH_FOR:
                self._known, self._asked_at = await self._ask(), now
                if self._known.info:
                    self._silent_since, self._heard_at = None, now
                else:
                    self._silent_since = self._silent_since or now
            return self._known

    async def _ask(self) -> ClusterAnswers:
        began = time.perf_counter()

        async def timed() -> tuple[ClusterInfo, float]:
            return await self._rayjobs.info(), time.perf_counter() - began

        told, resources, nodes = await asyncio.gather(
            _answer(timed), _answer(self._rayjobs.resources), _answer(self._rayjobs.nodes)
        )
        info, took_s = (None, None) if isinstance(told, str) else told
        return ClusterAnswers(
            info=info,
            took_s=took_s,
            resources=None if isinstance(resources, str) else resources,
            nodes=None if isinstance(nodes, str) else nodes,
            trouble=next((it for it in (told, resources, nodes) if isinstance(it, str)), None),
        )

    def _room(self, there: ClusterResources | None) -> Room:
        return Room(
            places=self._policy.max_running,
            head_free=there.head_memory_free if there else None,
            head_reserve=self._policy.head_reserve,
            per_run=self._policy.memory_per_run,
        )


async def _answer(question: Callable[[], Awaitable[Answer]]) -> Answer | str:
    """Return the answer, or in words why there is none."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await question()
    except ClusterError as exc:
        return exc.detail
    except TimeoutError:
        return f"The cluster did not answer within {ANSWERS_WITHIN_S:g} seconds."
