"""The queue before a cluster, over runs in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from fake_memory import Memory, RunRecord

from daftray.domain.queue import ClusterLoad, ClusterQueue, QueuedRun, QueuePlace
from daftray.domain.run import Run
from daftray.domain.status import ON_CLUSTER, RunPhase

_STARTING = {RunPhase.PREPARING, RunPhase.SUBMITTING, RunPhase.INSTALLING, RunPhase.STARTING}


def waiting(records: Mapping[str, RunRecord], cluster: str, now: datetime) -> set[str]:
    return {
        run_id
        for run_id, record in records.items()
        if _is_queued(record.run, cluster)
        and record.run.cancel_requested_at is None
        and (record.run.not_before is None or record.run.not_before <= now)
        and record.is_free(now)
    }


def queue_of(memory: Memory, cluster: str, now: datetime, ahead: int) -> ClusterQueue:
    on_cluster = [
        record.run
        for record in memory.runs.values()
        if record.run.cluster == cluster and record.run.phase in ON_CLUSTER
    ]
    running: dict[str, int] = {}
    for run in on_cluster:
        running[run.project] = running.get(run.project, 0) + 1
    lines: dict[str, list[Run]] = {}
    for run_id in waiting(memory.runs, cluster, now):
        run = memory.runs[run_id].run
        lines.setdefault(run.project, []).append(run)
    return ClusterQueue(
        running=running,
        starting=sum(run.phase in _STARTING for run in on_cluster),
        limits={one.id: one.max_running for one in memory.projects.values() if one.max_running},
        waiting=tuple(
            QueuedRun(id=run.id, project=project, priority=run.priority)
            for project, line in sorted(lines.items())
            for run in sorted(line, key=_turn)[:ahead]
        ),
    )


def load_of(memory: Memory, cluster: str) -> ClusterLoad:
    live = [record.run for record in memory.runs.values() if record.run.cluster == cluster]
    there = [run for run in live if run.phase in ON_CLUSTER]
    silences = [run.cluster_silent_since for run in there if run.cluster_silent_since]
    return ClusterLoad(
        running=dict(Counter(run.project for run in there)),
        starting=sum(run.phase in _STARTING for run in there),
        waiting=dict(Counter(run.project for run in live if run.phase is RunPhase.QUEUED)),
        limits={one.id: one.max_running for one in memory.projects.values() if one.max_running},
        silent_since=min(silences, default=None),
    )


def place_of(run: Run, live: Iterable[Run]) -> QueuePlace:
    others = [*live]
    queued = [one for one in others if _is_queued(one, run.cluster)]
    return QueuePlace(
        before=sum(one.project == run.project and _turn(one) < _turn(run) for one in queued),
        waiting=len(queued),
        taken=sum(one.cluster == run.cluster and one.phase in ON_CLUSTER for one in others),
    )


def _turn(run: Run) -> tuple[int, str]:
    return (-run.priority, run.id)


def _is_queued(run: Run, cluster: str) -> bool:
    return run.cluster == cluster and run.phase is RunPhase.QUEUED
