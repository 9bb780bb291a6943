"""A run is cancelled in each phase, whatever it is: within its time, with nothing left of it."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from chaos.cancel_programs import KINDS
from chaos.conftest import PATIENCE
from chaos.holds import HOLDS, Held, held
from chaos.ray_view import RayView, processes_of
from e2e_platform import wait_for

from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(300)]

CANCELLED_WITHIN_S = 15.0 * PATIENCE
GONE_WITHIN_S = 10.0 * PATIENCE


@pytest.fixture(scope="module", params=list(HOLDS))
def place(
    request: pytest.FixtureRequest, ray_view: RayView, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Held]:
    root: Path = tmp_path_factory.mktemp("held")
    with held(HOLDS[request.param], root, ray_view) as served:
        yield served


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_cancelled_run_ends_and_leaves_nothing(kind: str, place: Held, ray_view: RayView) -> None:
    before = ray_view.actors() | ray_view.placement_groups()
    run = place.create(kind)
    place.client.runs.cancel(run)
    last = wait_for(place.client, run, lambda now: now.status.terminal, timeout_s=CANCELLED_WITHIN_S)
    assert last.status is RunStatus.CANCELLED
    assert "Left on the cluster" not in (last.reason_detail or "")
    assert [event.phase for event in place.client.runs.events(run)][-1] is RunPhase.DONE
    assert left_of(run, ray_view, before) == []


def left_of(run: Run, ray: RayView, before: set[str]) -> list[str]:
    """Return what is left of a run, after the time that its end may take."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while True:
        left = sorted((ray.actors() | ray.placement_groups()) - before)
        left += [f"job {job.submission_id} {job.status}" for job in ray.jobs_of(run.id) if not job.ended]
        left += [process for of_run in processes_of({run.id}).values() for process in of_run]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.3)
