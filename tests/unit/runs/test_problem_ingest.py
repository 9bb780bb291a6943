"""Problems on their way into the database: together, without secrets, and each attempt's own to fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec
import pytest
from factories import a_frame, a_problem_report, a_sample, an_exception
from fakes import InMemoryProblemStore
from run_steps import ControlPlane

from daftray.domain.errors import RunNotFoundError
from daftray.domain.principal import RunPrincipal
from daftray.domain.problem import ProblemReport
from daftray.domain.run import Run
from daftray.runs import problem_ingest
from daftray.runs.problem_ingest import ProblemIngest

SECRET = "correct-horse-battery"
F = "f" * 16


class CountingProblems(InMemoryProblemStore):
    writes = 0
    refused: str | None = None

    async def fold(self, run_id: str, attempt: int, reports: Sequence[ProblemReport]) -> None:
        if run_id == self.refused:
            raise OSError("disk full")
        self.writes += 1
        await super().fold(run_id, attempt, reports)


class Reporter:
    """A run that reports problems, and what is kept of them."""

    def __init__(self, plane: ControlPlane, run: Run) -> None:
        self.run, self.principal = run, RunPrincipal(run=run.id, attempt=1)
        self.problems = CountingProblems()
        self.ingest = ProblemIngest(
            problems=self.problems, runs=plane.stores.runs, secrets=plane.secrets, gather_s=0
        )


async def a_reporter() -> tuple[Reporter, ControlPlane]:
    plane = await ControlPlane().open()
    return Reporter(plane, await plane.create(secrets={"OWN": SECRET})), plane


async def test_reports_that_come_together_are_written_together() -> None:
    one, _ = await a_reporter()
    reports = [a_problem_report(process=f"p{number}", count=2) for number in range(50)]
    await asyncio.gather(*(one.ingest.add(one.principal, [report]) for report in reports))
    assert one.problems.writes == 1
    assert [problem.count for problem in await one.problems.problems(one.run.id)] == [100]


async def test_nothing_that_the_code_said_holds_a_secret() -> None:
    one, _ = await a_reporter()
    cause = an_exception(message=SECRET, frames=[a_frame(code=f"login({SECRET!r})")], notes=[SECRET])
    report = a_problem_report(
        exception=an_exception(message=f"401 for {SECRET}", causes=[cause]),
        stacktrace=f"Traceback … {SECRET}",
        samples=(a_sample(message=SECRET, arguments=[repr(SECRET)]),),
    )
    await one.ingest.add(one.principal, [report])
    problems = await one.problems.problems(one.run.id)
    samples = await one.problems.samples(one.run.id, F)
    assert problems[0].message == f"401 for {'*' * len(SECRET)}"
    assert samples[0].arguments == [f"'{'*' * len(SECRET)}'"]
    kept = [problems, samples, await one.problems.stacktrace(one.run.id, F, 1)]
    assert SECRET.encode() not in msgspec.json.encode(kept)


async def test_a_report_that_cannot_be_kept_is_answered_so_and_costs_no_other_run_its_own() -> None:
    one, plane = await a_reporter()
    other = await plane.create()
    one.problems.refused = other.id
    gone = RunPrincipal(run="run_none", attempt=1)
    refused, missing, kept = await asyncio.gather(
        one.ingest.add(RunPrincipal(run=other.id, attempt=1), [a_problem_report()]),
        one.ingest.add(gone, [a_problem_report()]),
        one.ingest.add(one.principal, [a_problem_report()]),
        return_exceptions=True,
    )
    assert isinstance(refused, OSError)
    assert isinstance(missing, RunNotFoundError)
    assert kept is None
    assert len(await one.problems.problems(one.run.id)) == 1


async def test_closing_waits_for_what_came_in() -> None:
    one, _ = await a_reporter()
    adding = asyncio.ensure_future(one.ingest.add(one.principal, [a_problem_report()]))
    await asyncio.sleep(0)
    await one.ingest.close()
    assert len(await one.problems.problems(one.run.id)) == 1
    await adding


async def test_nothing_is_written_of_nothing() -> None:
    one, _ = await a_reporter()
    await one.ingest.add(one.principal, [])
    await one.ingest.close()
    assert one.problems.writes == 0


async def test_exceptions_that_come_one_by_one_are_bounded_and_the_runners_own_are_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(problem_ingest, "MOST_FOREIGN", 5)
    one, _ = await a_reporter()
    with caplog.at_level(logging.WARNING):
        for start in (0, 3, 6, 9):
            foreign = [a_problem_report(key=f"otel:{number}") for number in range(start, start + 3)]
            await one.ingest.add(one.principal, [*foreign, a_problem_report(key=str(start), count=10)])
    (problem,) = await one.problems.problems(one.run.id)
    assert problem.count == 5 + 4 * 10
    assert len([record for record in caplog.records if "foreign" in record.message]) == 1
