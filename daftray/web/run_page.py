"""A run's pages: Details, Results, Metrics. Logs are in `run_log.py`, Problems in `run_problems.py`."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest, viewer
from daftray.domain.errors import ResultNotFoundError, ResultRemovedError
from daftray.domain.project import Project
from daftray.domain.weblink import commit_link
from daftray.metrics.outcomes import Outcomes
from daftray.runs.service import Runs
from daftray.web.charts import charts_of
from daftray.web.json_tree import LARGEST_SHOWN, tree_of
from daftray.web.pages import Pages
from daftray.web.places import PROJECT
from daftray.web.run_shown import OF_A_RUN, RunShown
from daftray.web.usage_words import budget_lines, why_unknown


@get("/", guards=[viewer], include_in_schema=False)
async def show_details(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show what the run is, how it went, and what it was asked to be."""
    run = shown.run
    git = run.source.git
    return pages.page(
        request,
        "run_details.html",
        **shown.frame,
        events=await run_service.events(home, run.id),
        code_link=commit_link(git.remote, run.commit) if git and run.commit else None,
        arguments=_arguments(shown),
    )


@get("/results", guards=[viewer], include_in_schema=False)
async def show_result(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    outcomes: NamedDependency[SkipValidation[Outcomes]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show what the run returned, or why there is nothing to show."""
    result, none = None, ""
    try:
        result = await outcomes.result(shown.run.id)
    except (ResultNotFoundError, ResultRemovedError) as error:
        none = error.detail
    tree = tree_of(bytes(result.value)) if result and result.kind == "json" else None
    return pages.page(
        request, "run_results.html", **shown.frame, result=result, none=none, tree=tree, largest=LARGEST_SHOWN
    )


@get("/metrics", guards=[viewer], include_in_schema=False)
async def show_metrics(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    outcomes: NamedDependency[SkipValidation[Outcomes]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show what the run used."""
    metrics = await outcomes.metrics(shown.run.id)
    return pages.page(
        request,
        "run_metrics.html",
        **shown.frame,
        metrics=metrics,
        charts=charts_of(metrics.series),
        budget=budget_lines(shown.run, metrics),
        why=defaultdict(str, why_unknown(shown.run, metrics)),
    )


def _arguments(shown: RunShown) -> str | None:
    """Return the arguments of the entrypoint as JSON, if there are any."""
    entrypoint = shown.run.entrypoint
    plain = entrypoint.file or entrypoint.module
    if plain is not None:
        return _json(plain.argv) if plain.argv else None
    function = entrypoint.function
    if function is None or not (function.args or function.kwargs):
        return None
    return _json({"args": function.args or [], "kwargs": function.kwargs or {}})


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


router = Router(
    PROJECT + "/runs/{run:str}",
    route_handlers=[show_details, show_result, show_metrics],
    dependencies=dict(OF_A_RUN),
)
