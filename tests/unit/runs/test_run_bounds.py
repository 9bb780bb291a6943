"""What one run can cost everybody who lists runs."""

from __future__ import annotations

from typing import Any

import pytest
from factories import a_finished, an_exception
from fake_ray import FAILS, FakeRayJobs
from run_steps import ADMIN, ControlPlane

from daftray.domain.errors import InvalidInputError
from daftray.domain.spec import Entrypoint, Environment, FileEntrypoint
from daftray.domain.status import RunPhase
from daftray.runs.requests import LARGEST_SPEC

LARGE = "x" * LARGEST_SPEC


@pytest.mark.parametrize(
    "fields",
    [
        {"name": LARGE},
        {"labels": {"team": LARGE}},
        {"environment": Environment(environment_variables={"DATA": LARGE})},
        {"entrypoint": Entrypoint(file=FileEntrypoint(file_path="main.py", argv=[LARGE]))},
    ],
    ids=["name", "labels", "variables", "arguments"],
)
async def test_a_run_that_is_asked_for_at_length_is_refused(fields: dict[str, Any]) -> None:
    plane = await ControlPlane().open()
    with pytest.raises(InvalidInputError, match="at most 512 KiB"):
        await plane.create(**fields)


@pytest.mark.parametrize("secrets", ["text", ["list"], 1, {"KEY": 1}])
async def test_a_rerun_with_secrets_of_another_form_is_refused(secrets: object) -> None:
    plane = await ControlPlane().open()
    run = await plane.create()
    with pytest.raises(InvalidInputError):
        await plane.runs.rerun(plane.project, run.id, {"secrets": secrets}, ADMIN)


async def test_a_long_exception_makes_no_long_detail() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(FAILS)).open()
    run = await plane.create()
    await plane.until(run, RunPhase.STARTING)
    exception = an_exception(type="E", message="m" * 1_000_000)
    report = a_finished(outcome="raised", exit_code=1, exception=exception)
    await plane.stores.reports.finished(run.id, report, None)
    done = await plane.until(run, RunPhase.DONE)
    assert done.reason_detail is not None
    assert done.reason_detail.startswith("E: mmm")
    assert len(done.reason_detail) < 5000
