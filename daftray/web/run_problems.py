"""A run's exceptions in a browser: all of them, equal ones together, and one of them with its code."""

from __future__ import annotations

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import AnyRequest, viewer
from daftray.domain.problem import Problem, over_attempts
from daftray.domain.project import Project
from daftray.identity.access import Place
from daftray.metrics.problems import Problems
from daftray.runs.predecessor import Predecessor, predecessor
from daftray.runs.service import Runs
from daftray.runs.source_files import SourceFiles
from daftray.web.attempts import attempt_of
from daftray.web.frames_shown import frame_shown, trace_of
from daftray.web.pages import Pages
from daftray.web.places import PROJECT, run_page
from daftray.web.run_shown import OF_A_RUN, RunShown

_WORDS = {
    "task": "the task's run before",
    "repeated": "the run that this one repeats",
    "named": "another run",
}


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """A run's problems beside those of another run."""

    run: str
    what: str
    """What the other run is to this one."""
    base: str
    """The address of its first page."""
    new: frozenset[str]
    seen: frozenset[str]
    gone: list[Problem]


async def provide_beside(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    run_problems: NamedDependency[SkipValidation[Problems]],
) -> Beside | None:
    """Return the problems beside those of the run of ``?against=``, else of the one before.

    Raises:
        RunNotFoundError: the project has no run of that id.
    """
    asked = request.query_params.get("against", "").strip()
    if asked:
        other = Predecessor(run=(await run_service.get(home, asked)).id, kind="named")
    else:
        other = await predecessor(run_service, home, shown.run)
    if other is None:
        return None
    found = await run_problems.compare(shown.run.id, other.run)
    return Beside(
        run=other.run,
        what=_WORDS[other.kind],
        base=run_page(place, other.run),
        new=frozenset(problem.fingerprint for problem in found.new),
        seen=frozenset(problem.fingerprint for problem in found.seen),
        gone=found.gone,
    )


@get("/", guards=[viewer], include_in_schema=False)
async def show_problems(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    beside: NamedDependency[SkipValidation[Beside | None]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the run's exceptions; of a run that has one before it, what is new and what is gone."""
    attempt = attempt_of(request)
    problems = list(over_attempts(await run_problems.list(shown.run.id, attempt)).values())
    return pages.page(
        request, "run_problems.html", **shown.frame, problems=problems, beside=beside, attempt=attempt
    )


@get("/{fingerprint:str}", guards=[viewer], include_in_schema=False)
async def show_problem(
    request: AnyRequest,
    fingerprint: FromPath[str],
    shown: NamedDependency[SkipValidation[RunShown]],
    beside: NamedDependency[SkipValidation[Beside | None]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    source_files: NamedDependency[SkipValidation[SourceFiles]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show one of them: where it was raised, with the code around it, what caused it, and samples."""
    detail = await run_problems.detail(shown.run.id, fingerprint, attempt_of(request))
    problem = detail.problems[0]
    sources = await source_files.around(shown.run, problem.frames)
    return pages.page(
        request,
        "run_problem.html",
        **shown.frame,
        problem=problem,
        detail=detail,
        beside=beside,
        frames=[frame_shown(*pair) for pair in zip(problem.frames, sources, strict=True)][::-1],
        trace=detail.stacktrace or trace_of(problem),
    )


router = Router(
    PROJECT + "/runs/{run:str}/problems",
    route_handlers=[show_problems, show_problem],
    dependencies={**OF_A_RUN, "beside": Provide(provide_beside)},
)
