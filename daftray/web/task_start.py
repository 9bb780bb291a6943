"""The form that starts a task with changes: what it says otherwise overrides what the task has."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import InvalidInputError
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.identity.access import Place
from daftray.tasks.service import Tasks
from daftray.web.forms import checked_form
from daftray.web.places import PROJECT, project_page, run_page, task_page
from daftray.web.prefill import Prefill, prefill_of
from daftray.web.redirects import see_other
from daftray.web.run_desk import AT_A_DESK, Desk, Purpose
from daftray.web.run_form import overrides_of
from daftray.web.run_forms import FORM_HANDLERS, LARGEST


async def provide_purpose(
    task: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> Purpose:
    """Return what the form is for: a run of the path's task. Raises `TaskNotFoundError`."""
    found = await task_service.get(home, task)
    return Purpose(
        kind="start",
        title=f"Start {found.name}",
        submit="Start",
        address=f"{task_page(place, found.id)}/start",
        prefill=prefill_of(found, found.source),
        target=found.name,
        back=(f"{project_page(place)}/tasks", "Tasks"),
        own_secrets=found.secret_names,
    )


@post(
    "/",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "task.start"},
    include_in_schema=False,
    request_max_body_size=LARGEST,
    status_code=HTTPStatus.SEE_OTHER,
)
async def start_changed(
    request: AnyRequest,
    task: FromPath[str],
    purpose: NamedDependency[SkipValidation[Purpose]],
    desk: NamedDependency[SkipValidation[Desk]],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Make the run and show it, or the form again with what is wrong (``Any``: a page or a redirection)."""
    form = await checked_form(request)
    try:
        overrides = overrides_of(form, purpose.prefill or Prefill())
        made = await task_service.start(home, task, overrides, caller, key=form.get("once")[:200] or None)
    except InvalidInputError as error:
        return desk.page(request, purpose, form, await desk.look(form), error)
    note(request, target=made.id)
    return see_other(run_page(desk.place, made.id))


router = Router(
    PROJECT + "/tasks/{task:str}/start",
    route_handlers=[*FORM_HANDLERS, start_changed],
    dependencies={**AT_A_DESK, "purpose": Provide(provide_purpose)},
)
