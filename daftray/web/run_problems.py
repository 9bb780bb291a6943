"""A run's exceptions in a browser: all of them, equal ones together, and one of them with its code."""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import AnyRequest, viewer
from daftray.domain.problem import ProblemComparison, over_attempts
from daftray.metrics.problems import Problems
from daftray.runs.source_files import SourceFiles
from daftray.web.attempts import attempt_of
from daftray.web.pages import Pages
from daftray.web.places import PROJECT
from daftray.web.run_shown import OF_A_RUN, RunShown


@get("/", guards=[viewer], include_in_schema=False)
async def show_problems(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the run's exceptions; of a run that repeats another, what is new and what is gone."""
    run = shown.run
    problems = list(over_attempts(await run_problems.list(run.id, attempt_of(request))).values())
    against: ProblemComparison | None = None
    if run.rerun_of is not None:
        against = await run_problems.compare(run.id, run.rerun_of)
    new = {problem.fingerprint for problem in against.new} if against else set[str]()
    return pages.page(
        request, "run_problems.html", **shown.frame, problems=problems, against=against, new=new
    )


@get("/{fingerprint:str}", guards=[viewer], include_in_schema=False)
async def show_problem(
    request: AnyRequest,
    fingerprint: FromPath[str],
    shown: NamedDependency[SkipValidation[RunShown]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    source_files: NamedDependency[SkipValidation[SourceFiles]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show one of them: where it was raised, with the code around it, what caused it, and samples."""
    detail = await run_problems.detail(shown.run.id, fingerprint, attempt_of(request))
    problem = detail.problems[0]
    frames = list(zip(problem.frames, await source_files.around(shown.run, problem.frames), strict=True))
    return pages.page(
        request, "run_problem.html", **shown.frame, problem=problem, detail=detail, frames=frames[::-1]
    )


router = Router(
    PROJECT + "/runs/{run:str}/problems",
    route_handlers=[show_problems, show_problem],
    dependencies=dict(OF_A_RUN),
)
