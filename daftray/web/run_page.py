"""A run's pages: Details, Logs, Results, Metrics. Problems are in `run_problems.py`."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest, viewer
from daftray.domain.errors import LogRemovedError, ResultNotFoundError, ResultRemovedError
from daftray.domain.project import Project
from daftray.domain.weblink import commit_link
from daftray.logs import search
from daftray.logs.archive import LogArchive
from daftray.logs.index import index_of
from daftray.metrics.outcomes import Outcomes
from daftray.runs.service import Runs
from daftray.web.attempts import attempt_of
from daftray.web.charts import charts_of
from daftray.web.headers import PAGE_HEADERS
from daftray.web.json_tree import LARGEST_SHOWN, tree_of
from daftray.web.pages import Pages
from daftray.web.places import PROJECT
from daftray.web.run_shown import OF_A_RUN, RunShown
from daftray.web.usage_words import budget_lines, why_unknown

_LAST_LINES = 500
"""Of the log, for whoever has no scripts, and for everybody until the rest is there."""


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


@get("/logs", guards=[viewer], include_in_schema=False)
async def show_logs(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    archive: NamedDependency[SkipValidation[LogArchive]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the end of the log; a module takes over from there."""
    run = shown.run
    attempt = attempt_of(request) or run.attempt
    lines, gone = "", None
    try:
        _, size = await archive.size(run.id, attempt)
        last = await search.tail(archive, run.id, attempt, size=size, lines=_LAST_LINES)
        lines = last.decode(errors="replace")
    except LogRemovedError as error:
        gone = error.detail
    return pages.page(
        request, "run_logs.html", **shown.frame, attempt=attempt, lines=lines, gone=gone, most=_LAST_LINES
    )


@get("/logs/index", guards=[viewer], include_in_schema=False)
async def log_index(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[RunShown]],
    archive: NamedDependency[SkipValidation[LogArchive]],
) -> Response[bytes]:
    """Return where in the log its lines are, for the module that shows it."""
    attempt, size = await archive.size(shown.run.id, attempt_of(request))
    found = await index_of(archive, shown.run.id, attempt, size=size)
    return Response(msgspec.json.encode(found), media_type="application/json", headers=dict(PAGE_HEADERS))


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
    route_handlers=[show_details, show_logs, log_index, show_result, show_metrics],
    dependencies=dict(OF_A_RUN),
)
