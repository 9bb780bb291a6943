"""What a run reports of itself: once, twice, and what people then see."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import a_finished, a_started, an_exception
from msgspec import Raw
from run_steps import ControlPlane

from daftray.domain.errors import ResultNotFoundError, RunNotFoundError, UnauthenticatedError
from daftray.domain.principal import RunPrincipal
from daftray.domain.result import RunResult
from daftray.domain.run import Run
from daftray.identity.run_tokens import RunTokens
from daftray.metrics.outcomes import Outcomes
from daftray.metrics.problems import Problems
from daftray.runs.reporting import Reporting


class Reported:
    """A run that reports, and what is read of it."""

    def __init__(self, plane: ControlPlane, run: Run) -> None:
        self.plane, self.run = plane, run
        self.reporter = RunPrincipal(run=run.id, attempt=1)
        self.outcomes = Outcomes(reports=plane.stores.reports, blobs=plane.blobs, accounts=plane.accounts)
        self.problems = Problems(store=plane.stores.problems)
        self.reporting = Reporting(
            runs=plane.stores.runs,
            reports=plane.stores.reports,
            blobs=plane.blobs,
            secrets=plane.secrets,
            wake=plane.wake,
            connections=plane.connections,
        )


async def a_reported(**fields: object) -> Reported:
    plane = await ControlPlane().open()
    return Reported(plane, await plane.create(**fields))


async def test_the_first_start_counts_and_each_is_answered_alike() -> None:
    one = await a_reported(secrets={"OWN": "own-secret"})
    await one.plane.secrets.set("prj_demo", "SHARED", "shared-secret")
    answers = [
        await one.reporting.started(one.reporter, a_started(host="first")),
        await one.reporting.started(one.reporter, a_started(host="second")),
    ]
    assert [answer.secrets for answer in answers] == [{"SHARED": "shared-secret", "OWN": "own-secret"}] * 2
    assert all(answer.entrypoint == one.run.entrypoint for answer in answers)
    assert not [answer for answer in answers if "own-secret" in repr(answer)]
    reports = await one.plane.stores.reports.reports(one.run.id, 1)
    assert reports.started == a_started(host="first")


async def test_a_start_and_an_end_wake_the_loop() -> None:
    one = await a_reported()
    woken: list[str] = []

    def wake(run_id: str) -> None:
        woken.append(run_id)

    one.plane.wake.run = wake
    await one.reporting.started(one.reporter, a_started())
    await one.reporting.finished(one.reporter, a_finished())
    assert woken == [one.run.id] * 2


async def test_the_first_end_counts_and_its_exception_is_one_problem() -> None:
    one = await a_reported()
    raised = a_finished(outcome="raised", exit_code=1, exception=an_exception(message="bad row"))
    for report in (raised, raised, a_finished()):
        await one.reporting.finished(one.reporter, report)
    (problem,) = await one.problems.list(one.run.id)
    assert (problem.type, problem.message, problem.count) == ("ValueError", "bad row", 1)
    reports = await one.plane.stores.reports.reports(one.run.id, 1)
    assert reports.finished == raised


async def test_an_end_without_an_exception_is_no_problem() -> None:
    one = await a_reported()
    await one.reporting.finished(one.reporter, a_finished(outcome="exited", exit_code=3))
    assert await one.problems.list(one.run.id) == []


async def test_the_last_result_counts_with_its_bytes(tmp_path: Path) -> None:
    one = await a_reported()
    with pytest.raises(ResultNotFoundError):
        await one.outcomes.result(one.run.id)
    await one.reporting.result(one.reporter, RunResult(kind="json", value=Raw(b"1")))
    with pytest.raises(ResultNotFoundError, match="no file"):
        await one.outcomes.data(one.run.id)
    file = tmp_path / "result"
    file.write_bytes(b"PAR1")
    for _ in range(2):
        await one.reporting.result_data(one.reporter, file)
    await one.reporting.result(one.reporter, RunResult(kind="artifact", data=True))
    result, data = await one.outcomes.data(one.run.id)
    assert (result.kind, b"".join([piece async for piece in data])) == ("artifact", b"PAR1")


async def test_what_a_run_that_is_gone_reports_is_kept_nowhere() -> None:
    one = await a_reported()
    gone = RunPrincipal(run="run_none", attempt=1)
    with pytest.raises(RunNotFoundError):
        await one.reporting.started(gone, a_started())
    with pytest.raises(RunNotFoundError):
        await one.reporting.finished(gone, a_finished())
    with pytest.raises(RunNotFoundError):
        await one.reporting.secrets(gone)
    assert await one.plane.stores.reports.result("run_none") is None


async def test_a_token_is_good_until_the_run_has_ended() -> None:
    one = await a_reported()
    tokens: RunTokens = one.plane.context.tokens
    token = tokens.issue(one.run.id, 1)
    assert await tokens.authenticate(token) == one.reporter
    await one.plane.runs.cancel(one.plane.project, one.run.id)
    assert await tokens.authenticate(token) == one.reporter, "it may still say how it ended"
    await one.plane.until(one.run)
    with pytest.raises(UnauthenticatedError):
        await tokens.authenticate(token)
    with pytest.raises(UnauthenticatedError):
        await tokens.authenticate(tokens.issue(one.run.id, 2))
