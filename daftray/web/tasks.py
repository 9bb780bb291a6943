"""A project's tasks in a browser: what they are, how they went last, when they come next; started by hand."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner, viewer
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.principal import Principal, Role
from daftray.domain.project import Project
from daftray.domain.task import SaveAsTask
from daftray.identity.access import Place
from daftray.runs.service import Runs
from daftray.tasks.service import Tasks
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page, run_page
from daftray.web.redirects import see_other

_A_PAGE = 100
"""Tasks of a page."""
_LAST = 12
"""Runs in a task's strip."""


@get("/tasks", guards=[viewer], include_in_schema=False)
async def list_tasks(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    run_service: NamedDependency[SkipValidation[Runs]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show a page of the project's tasks by name, each with its last runs."""
    number = _page_of(request)
    found = await task_service.list(home, limit=_A_PAGE + 1, offset=(number - 1) * _A_PAGE)
    tasks = found[:_A_PAGE]
    last = await run_service.latest(home, [task.id for task in tasks], each=_LAST)
    address = project_page(place)
    return pages.page(
        request,
        "tasks.html",
        address=address,
        rows=[(task, last[task.id]) for task in tasks],
        before=f"{address}/tasks?page={number - 1}" if number > 1 else "",
        after=f"{address}/tasks?page={number + 1}" if len(found) > _A_PAGE else "",
        may_run=place.role is not None and place.role >= Role.RUNNER,
    )


def _page_of(request: AnyRequest) -> int:
    """Return the page that is asked for, counted from 1; the first for what is no page."""
    text = request.query_params.get("page", "")
    return max(1, int(text)) if re.fullmatch(r"[0-9]{1,5}", text) else 1


@post(
    "/tasks/{task:str}/runs",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "task.start"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def start_task(
    request: AnyRequest,
    task: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Make a run of a task, and show it (``Any``: a redirection has no body)."""
    form = await checked_form(request)
    made = await task_service.start(home, task, {}, caller, key=form.get("once")[:200] or None)
    note(request, target=made.id)
    return see_other(run_page(place, made.id))


@post(
    "/runs/{run:str}/save-as-task",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "task.create"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def save_as_task(
    request: AnyRequest,
    run: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Keep a run as a task, and show the tasks (``Any``: as above)."""
    form = await checked_form(request)
    try:
        asked = msgspec.convert({"name": form.get("name").strip()}, SaveAsTask)
    except msgspec.ValidationError as exc:
        issue = InputIssue(path="name", message="give up to 100 characters, on one line")
        raise InvalidInputError("A task needs a name.", issues=(issue,)) from exc
    made = await task_service.save_run(home, run, asked.name, caller)
    note(request, target=made.id)
    return see_other(f"{project_page(place)}/tasks")


router = Router(PROJECT, route_handlers=[list_tasks, start_task, save_as_task], dependencies=dict(NAMED))
