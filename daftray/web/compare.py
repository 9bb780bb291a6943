"""Two runs of a project side by side. It works without a script."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest, viewer
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import (
    InputIssue,
    InvalidInputError,
    ResultNotFoundError,
    ResultRemovedError,
    RunNotFoundError,
)
from daftray.domain.ports import Clock
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.identity.access import Place
from daftray.metrics.outcomes import Outcomes
from daftray.metrics.problems import Problems
from daftray.runs.compare import durations_of, sections_of, usage_of
from daftray.runs.service import Runs
from daftray.runs.source_files import SourceFiles
from daftray.web.compared_results import ResultShown, compare_results
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.phases import parts_of, took
from daftray.web.places import NAMED, PROJECT, project_page
from daftray.web.redirects import see_other

_LONGEST_ID = 200
_WIDTH = 1000
"""Units of the longer of two bars."""


class TwoRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that an address names, or what is wrong with the names."""

    a: str
    b: str
    runs: tuple[Run, Run] | None = None
    wrong: InvalidInputError | None = None
    status: HTTPStatus = HTTPStatus.OK


async def provide_two(
    request: AnyRequest,
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> TwoRuns:
    """Return the two runs of the address, which must be the project's."""
    a, b = (request.query_params.get(name, "").strip()[:_LONGEST_ID] for name in ("a", "b"))
    if not a and not b:
        return TwoRuns(a=a, b=b)
    found = {name: await _run_of(run_service, home, text) for name, text in (("a", a), ("b", b))}
    if found["a"] and found["b"]:
        return TwoRuns(a=a, b=b, runs=(found["a"], found["b"]))
    issues = tuple(
        InputIssue(
            path=name, message="there is no such run in the project" if text else "give the id of a run"
        )
        for name, text in (("a", a), ("b", b))
        if found[name] is None
    )
    status = HTTPStatus.NOT_FOUND if a and b else HTTPStatus.BAD_REQUEST
    wrong = InvalidInputError("It takes two runs of this project to compare them.", issues=issues)
    return TwoRuns(a=a, b=b, wrong=wrong, status=status)


async def _run_of(run_service: Runs, home: Project, run_id: str) -> Run | None:
    try:
        return await run_service.get(home, run_id) if run_id else None
    except RunNotFoundError:
        return None


@get("/", guards=[viewer], include_in_schema=False)
async def show_comparison(
    request: AnyRequest,
    two: NamedDependency[SkipValidation[TwoRuns]],
    place: NamedDependency[SkipValidation[Place]],
    source_files: NamedDependency[SkipValidation[SourceFiles]],
    outcomes: NamedDependency[SkipValidation[Outcomes]],
    run_problems: NamedDependency[SkipValidation[Problems]],
    clock: NamedDependency[SkipValidation[Clock]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show in what two runs differ, or the form that asks for them."""
    home = project_page(place)
    if two.runs is None:
        return pages.page(request, "compare_form.html", status=two.status, two=two, home=home)
    here, there = two.runs
    now = clock.now()
    metrics = [await outcomes.metrics(run.id) for run in two.runs]
    results = [await _result(outcomes, run) for run in two.runs]
    seconds = [{part.phase.value: part.seconds for part in parts_of(run, now)} for run in two.runs]
    durations = durations_of(*seconds)
    return pages.page(
        request,
        "compare.html",
        two=two,
        home=home,
        here=here,
        there=there,
        took=(took(here, now), took(there, now)),
        sections=sections_of(here, there),
        commits=None if here.commit == there.commit else await source_files.between(here, there),
        durations=durations,
        width=_WIDTH,
        longest=max([figure.here or 0 for figure in durations] + [figure.there or 0 for figure in durations]),
        usage=usage_of(*metrics),
        problems=await run_problems.compare(there.id, here.id),
        results=results,
        verdict=await asyncio.to_thread(compare_results, *results),
    )


@post(
    "/",
    guards=[viewer],
    opt={CSRF_IN_FORM: True},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def go_to_comparison(
    request: AnyRequest, place: NamedDependency[SkipValidation[Place]]
) -> Response[Any]:
    """Go to where the runs that are ticked in a list are compared, the older first (``Any``: no body)."""
    ticked = sorted((await checked_form(request)).all("run"))  # ids begin with their time
    if len(ticked) > 2:  # noqa: PLR2004 (two are compared)
        raise InvalidInputError(f"Tick two runs to compare them: {len(ticked)} are ticked.")
    named = dict(zip(("a", "b"), ticked, strict=False))
    return see_other(f"{project_page(place)}/compare?{urlencode({'a': '', 'b': '', **named})}")


async def _result(outcomes: Outcomes, run: Run) -> ResultShown:
    try:
        return ResultShown(result=await outcomes.result(run.id))
    except (ResultNotFoundError, ResultRemovedError) as error:
        return ResultShown(none=error.detail if run.status.terminal else "The run goes on.")


router = Router(
    PROJECT + "/compare",
    route_handlers=[show_comparison, go_to_comparison],
    dependencies={**NAMED, "two": Provide(provide_two)},
)
