"""The list of a project's runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner, viewer
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import InvalidInputError
from daftray.domain.ports import Clock
from daftray.domain.principal import Principal, Role
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus
from daftray.domain.trigger import STARTERS
from daftray.identity.access import Place
from daftray.identity.names import Names
from daftray.runs.service import Runs
from daftray.tasks.service import Tasks
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.phases import parts_of, took
from daftray.web.places import NAMED, PROJECT, project_page
from daftray.web.redirects import see_other
from daftray.web.run_filters import LARGEST_PAGE, filters_of

_MOST_PLACED = 12
"""Queued runs of a page whose place in the queue is looked up: each costs a few counts."""


@get("/", guards=[viewer], include_in_schema=False)
async def list_runs(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    names: NamedDependency[SkipValidation[Names]],
    clock: NamedDependency[SkipValidation[Clock]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show a page of runs, newest first, by the filters of the address."""
    filters, path = filters_of(request), f"{project_page(place)}/runs"
    task = await task_service.id_of(home, filters.task) if filters.task else None
    query = filters.query(home.id, task)
    found, now = await _placed(run_service, home, await run_service.list(query)), clock.now()
    return pages.page(
        request,
        "runs.html",
        address=path,
        new_run=f"{project_page(place)}/new-run",
        filters=filters,
        rows=[(run, parts_of(run, now), took(run, now)) for run in found],
        who=await names.of(run.created_by for run in found),
        older=filters.address(path, cursor=found[-1].id) if len(found) == query.limit else None,
        newest=filters.address(path, cursor="") if filters.cursor else None,
        statuses=list(RunStatus),
        triggers=list(dict.fromkeys((*STARTERS, *(run.trigger for run in found)))),
        compare=f"{project_page(place)}/compare",
        may_run=place.role is not None and place.role >= Role.RUNNER,
    )


@post(
    "/",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "run.act_on_many"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def act_on_runs(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Cancel the runs that are ticked, or run them again, and show the list (``Any``: a redirection)."""
    form = await checked_form(request)
    ticked, act = form.all("run"), form.get("act")
    if act not in {"cancel", "rerun"} or not 1 <= len(ticked) <= LARGEST_PAGE:
        raise InvalidInputError(
            f"Tick up to {LARGEST_PAGE} runs, and say whether to cancel or to rerun them."
        )
    for run_id in ticked:  # all of them are this project's before one of them changes
        await run_service.get(home, run_id)
    for run_id in ticked:
        if act == "cancel":
            await run_service.cancel(home, run_id)
        else:
            await run_service.rerun(home, run_id, {}, caller)
    note(request, target=f"{act} {' '.join(ticked)}")
    return see_other(f"{project_page(place)}/runs")


async def _placed(run_service: Runs, home: Project, found: list[Run]) -> list[Run]:
    """Return runs, of the oldest queued of them with where in the queue they are."""
    queued = [run.id for run in found if run.phase is RunPhase.QUEUED][-_MOST_PLACED:]
    placed = {run_id: await run_service.get(home, run_id) for run_id in queued}
    return [placed.get(run.id, run) for run in found]


router = Router(PROJECT + "/runs", route_handlers=[list_runs, act_on_runs], dependencies=dict(NAMED))
