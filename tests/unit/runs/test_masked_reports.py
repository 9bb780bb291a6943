"""A secret's value in what a run says of its end is kept nowhere."""

from __future__ import annotations

import msgspec
from factories import a_finished, a_frame, an_exception
from fake_ray import FAILS, FakeRayJobs
from run_steps import ControlPlane

from daftray.domain.principal import RunPrincipal
from daftray.domain.status import RunPhase
from daftray.logs.masking import Mask
from daftray.runs.masking import masked
from daftray.runs.reporting import Reporting

SHARED, OWN = "of-the-project-4711", "of-the-run-0815"


def test_every_text_of_an_exception_is_masked() -> None:
    cause = an_exception(
        message=f"{SHARED} is wrong", notes=[f"tried {SHARED}"], frames=[a_frame(code=f"log_in({SHARED!r})")]
    )
    exception = an_exception(message=f"no: {SHARED}", causes=[cause])
    report = a_finished(outcome="raised", exit_code=1, detail=f"bad: {SHARED}", exception=exception)
    kept = masked(report, Mask([SHARED]))
    assert SHARED not in str(msgspec.to_builtins(kept))
    assert kept.detail == "bad: " + "*" * len(SHARED)
    assert masked(report, Mask(["another secret"])) == report


async def test_a_reported_exception_is_kept_without_secrets() -> None:
    plane = await ControlPlane().open()
    await plane.secrets.set(plane.project.id, "SHARED", SHARED)
    run = await plane.create(secrets={"OWN": OWN})
    reporting = Reporting(
        runs=plane.stores.runs,
        reports=plane.stores.reports,
        blobs=plane.blobs,
        secrets=plane.secrets,
        wake=plane.wake,
        connections=plane.connections,
    )
    exception = an_exception(message=f"401 for {SHARED} and {OWN}")
    report = a_finished(outcome="raised", exit_code=1, exception=exception)
    await reporting.finished(RunPrincipal(run=run.id, attempt=1), report)
    (problem,) = await plane.stores.problems.problems(run.id)
    finished = (await plane.stores.reports.reports(run.id, 1)).finished
    assert problem.message == f"401 for {'*' * len(SHARED)} and {'*' * len(OWN)}"
    assert finished is not None
    assert OWN not in str(msgspec.to_builtins(finished))


async def test_what_ray_quotes_of_a_log_is_masked_in_the_detail() -> None:
    plane = await ControlPlane(rayjobs=FakeRayJobs(FAILS)).open()
    await plane.secrets.set(plane.project.id, "SHARED", SHARED)
    run = await plane.create(secrets={"OWN": OWN})
    token = plane.context.tokens.issue(run.id, 1)
    plane.rayjobs.message = f"Job failed; last lines:\n{OWN}\n{SHARED} {token}\nbye"
    done = await plane.until(run, RunPhase.DONE)
    assert done.reason_detail is not None
    assert "last lines:\n***" in done.reason_detail
    kept = str(msgspec.to_builtins([done, *await plane.stores.runs.events(run.id)]))
    assert [value for value in (OWN, SHARED, token) if value in kept] == []
