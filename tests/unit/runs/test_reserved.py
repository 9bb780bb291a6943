"""What Ray set aside for a run is known once the run has ended, and held against what it used."""

from __future__ import annotations

from factories import a_counter
from fake_ray import FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, ReservedCpu
from daftray.domain.counters import CPU_TIME
from daftray.domain.status import RunPhase

SUCCEEDS = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.SUCCEEDED)


async def ended(reserved: ReservedCpu, *, used: float) -> float | None:
    """Return the CPU seconds of a run that ended so."""
    plane = await ControlPlane(rayjobs=FakeRayJobs(SUCCEEDS)).open()
    run = await plane.until(await plane.create(), RunPhase.STARTING)
    plane.rayjobs.jobs[run.submission_id].reserved = reserved
    await plane.stores.reports.count(run.id, 1, [a_counter(metric=CPU_TIME, value=used)])
    usage = (await plane.until(run)).usage or (await plane.stores.runs.get(run.id)).usage
    assert usage is not None
    return usage.cpu_seconds


async def test_the_larger_of_what_was_used_and_reserved_is_a_runs_cpu_seconds() -> None:
    assert await ended(ReservedCpu(seconds=12), used=5) == 12
    assert await ended(ReservedCpu(seconds=3), used=5) == 5
    assert await ended(ReservedCpu(seconds=0), used=5) == 5
