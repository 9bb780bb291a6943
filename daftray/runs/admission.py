"""Who gets the next place on the cluster: bounds, fairness between projects, priority, age.

Daft reserves no CPU in Ray, so nothing there keeps a hundred runs from starting at once; and every Ray job
costs its head a supervisor and a driver, so the head's memory is a bound of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from daftray.domain.queue import ClusterQueue, QueuedRun, QueuePlace
from daftray.domain.run import Run


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many runs a cluster may hold. Memory in bytes; ``head_free`` is unknown where Ray does not tell."""

    places: int
    head_free: int | None = None
    head_reserve: int = 512 * 1024**2
    """What is left to Ray itself."""
    per_run: int = 400 * 1024**2
    """What a job's supervisor and driver take of the head before the user's code takes more."""

    def left(self, queue: ClusterQueue) -> int:
        """Return how many more runs may start. An empty cluster takes one, however small its head is."""
        running = sum(queue.running.values())
        left = self.places - running
        if self.head_free is not None:
            by_memory = (self.head_free - self.head_reserve) // self.per_run - queue.starting
            left = min(left, by_memory)
        return max(left, 0 if running else min(1, self.places))


def choose(queue: ClusterQueue, room: Room) -> Sequence[str]:
    """Return the ids of the runs that get a place now, in that order.

    Each place goes to the project that has the fewest runs on the cluster and is below its own bound; among
    equals, to the highest priority, then to the oldest run.
    """
    running = dict(queue.running)
    lines: dict[str, list[QueuedRun]] = {}
    for run in queue.waiting:
        lines.setdefault(run.project, []).append(run)
    chosen: list[str] = []
    for _ in range(room.left(queue)):
        open_to = [
            project
            for project, line in lines.items()
            if line and running.get(project, 0) < queue.limits.get(project, room.places)
        ]
        if not open_to:
            break
        project = min(
            open_to,
            key=lambda one: (running.get(one, 0), -lines[one][0].priority, lines[one][0].id),
        )
        chosen.append(lines[project].pop(0).id)
        running[project] = running.get(project, 0) + 1
    return chosen


def waits_for(run: Run, place: QueuePlace, places: int, now: datetime) -> str:
    """Say what a queued run waits for, and how long its queue is."""
    if run.not_before is not None and run.not_before > now:
        return f"its next attempt, which may start at {run.not_before:%Y-%m-%d %H:%M:%S} UTC"
    if place.before == 0 and place.taken < places:
        return (
            f"room: {place.taken} of {places} places on the cluster are taken, but its project may have no "
            "more of them, or the head's memory holds no more runs"
        )
    return (
        f"a place on the cluster: {place.taken} of {places} are taken; runs of its project before it: "
        f"{place.before}; runs that wait in all: {place.waiting}"
    )
