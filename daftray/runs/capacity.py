"""What the cluster has and what of it is free: for admission, and to say what a pending run waits for."""

from __future__ import annotations

from datetime import datetime, timedelta

from daftray.domain.cluster import ClusterResources, Job, JobStatus
from daftray.domain.errors import ClusterError
from daftray.domain.ports import Clock, RayJobs
from daftray.domain.run import Run
from daftray.domain.spec import Resources
from daftray.domain.status import RunPhase

FRESH_FOR = timedelta(seconds=2)
"""Asking costs the head some milliseconds, and many runs ask."""
_GIBIBYTE = 1024**3
_INSTALLS = "the cluster to install the dependencies, or to have room for the driver"
_STARTS = "the cluster to start the driver"


class Capacity:
    """The cluster's resources as they were within the last two seconds."""

    def __init__(self, rayjobs: RayJobs, clock: Clock) -> None:
        self._rayjobs = rayjobs
        self._clock = clock
        self._known: ClusterResources | None = None
        self._asked_at: datetime | None = None

    async def now(self) -> ClusterResources | None:
        """Return the resources, or nothing where the cluster does not tell."""
        now = self._clock.now()
        if self._asked_at is None or abs(now - self._asked_at) > FRESH_FOR:
            self._asked_at = now
            try:
                self._known = await self._rayjobs.resources()
            except ClusterError:
                self._known = None
        return self._known

    async def waited_for(self, run: Run, job: Job) -> str | None:
        """Say what a run that is on the cluster waits for there; nothing where its driver is there."""
        if job.status is not JobStatus.PENDING or run.phase not in {RunPhase.INSTALLING, RunPhase.STARTING}:
            return None
        if run.resources is not None and (there := await self.now()) is not None:
            lacking = _lacking(run.resources, there)
            if lacking:
                return f"the cluster to have room for the driver: {'; '.join(lacking)}"
        return _INSTALLS if run.phase is RunPhase.INSTALLING else _STARTS


def _lacking(asked: Resources, there: ClusterResources) -> list[str]:
    """Return what is asked for and not free, each with what is free and what there is at all."""
    kinds = (
        ("CPUs", asked.num_cpus or 0, there.cpus_free, there.cpus),
        ("GPUs", asked.num_gpus or 0, there.gpus_free, there.gpus),
        ("GiB of memory", _gib(asked.memory) or 0, _gib(there.memory_free), _gib(there.memory)),
    )
    return [
        f"it asks for {wanted:g} {kind}; {free:g} of {total:g} are free"
        for kind, wanted, free, total in kinds
        if free is not None and total is not None and wanted > free
    ]


def _gib(size: float | None) -> float | None:
    return None if size is None else round(size / _GIBIBYTE, 2)
