"""Exceptions of runs over HTTP: what there is, samples of one, and the code that they come from."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter, SkipValidation

from daftray.api.auth import viewer
from daftray.api.outcomes import AttemptParameter, provide_run_id
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.domain.problem import Problem, ProblemComparison, ProblemDetail
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.metrics.problems import Problems
from daftray.runs.service import Runs
from daftray.runs.source_files import SourceFiles

AgainstParameter = Annotated[
    str | None, QueryParameter(name="against", description="Another run of the project, to compare with.")
]


class ProblemList(msgspec.Struct, frozen=True, kw_only=True):
    """A run's problems, most frequent first; beside those of another run where one was named."""

    problems: list[Problem]
    comparison: ProblemComparison | None = None


async def provide_path_run(
    run: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> Run:
    """Return the path's run, which must be in the path's project."""
    return await run_service.get(home, run)


@get("/problems", guards=[viewer], summary="List a run's problems")
async def list_problems(
    run_id: NamedDependency[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    attempt: AttemptParameter = None,
    against: AgainstParameter = None,
) -> ProblemList:
    """Return the exceptions of a run, equal ones together. ``against`` says what is new, and what is gone."""
    problems = await run_problems.list(run_id, attempt)
    if against is None:
        return ProblemList(problems=problems)
    other = await run_service.get(home, against)
    return ProblemList(problems=problems, comparison=await run_problems.compare(run_id, other.id))


@get("/problems/{fingerprint:str}", guards=[viewer], summary="Get a problem of a run")
async def get_problem(
    fingerprint: FromPath[str],
    found_run: NamedDependency[SkipValidation[Run]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    source_files: NamedDependency[SkipValidation[SourceFiles]],
    attempt: AttemptParameter = None,
) -> ProblemDetail:
    """Return a problem with samples, its traceback, and the code around its frames."""
    detail = await run_problems.detail(found_run.id, fingerprint, attempt)
    source = await source_files.around(found_run, detail.problems[0].frames)
    return msgspec.structs.replace(detail, source=source)


@get("/source/{path:path}", guards=[viewer], summary="Get a file of a run's commit", media_type="text/plain")
async def get_source(
    path: FromPath[str],
    found_run: NamedDependency[SkipValidation[Run]],
    source_files: NamedDependency[SkipValidation[SourceFiles]],
) -> Response[bytes]:
    """Return a file as the run had it: at its commit, with the changes that came along."""
    return Response(await source_files.read(found_run, path.removeprefix("/")), media_type="text/plain")


router = Router(
    PROJECT + "/runs/{run:str}",
    route_handlers=[list_problems, get_problem, get_source],
    dependencies={
        "workspace_id": Provide(provide_workspace),
        "home": Provide(provide_project),
        "run_id": Provide(provide_run_id),
        "found_run": Provide(provide_path_run),
    },
    tags=["problems"],
)
