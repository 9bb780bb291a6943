"""The queue before a cluster: who runs there, who waits, and what a run may expect of it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class QueuedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that waits for a place, its time to start having come."""

    id: str
    project: str
    priority: int = 0


class ClusterQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster's places and queue at one moment.

    ``running`` counts by project the runs that have a place, ``starting`` those of them whose driver may not
    use its memory yet. ``limits`` holds the projects that have a bound of their own. ``waiting`` is in order
    of project, priority (the highest first) and age.
    """

    running: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    starting: int = 0
    limits: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    waiting: tuple[QueuedRun, ...] = ()


class ClusterLoad(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs a cluster has, and how many wait for it, by project, at one moment.

    ``waiting`` counts all that are queued, be their time to start come or not. ``silent_since`` is since when
    the cluster has not told of one of the runs that it has.
    """

    running: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    starting: int = 0
    waiting: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    limits: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    silent_since: datetime | None = None


class QueuePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a queued run stands. ``before`` counts its own project's runs, ``waiting`` the whole queue."""

    before: int
    waiting: int
    taken: int
