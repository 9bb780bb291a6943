"""The form that makes a run. It works without a script: *Look* reads the commit and offers what is there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import InvalidInputError
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.identity.access import Place
from daftray.runs.service import Runs
from daftray.web.form_issues import dependency_issues
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.places import PROJECT, project_page, run_page
from daftray.web.redirects import see_other
from daftray.web.run_desk import AT_A_DESK, Desk, Purpose
from daftray.web.run_form import request_of
from daftray.web.run_forms import FORM_HANDLERS, LARGEST


async def provide_purpose(place: NamedDependency[SkipValidation[Place]]) -> Purpose:
    """Return what the form is for: a new run."""
    address = f"{project_page(place)}/new-run"
    return Purpose(kind="create", title="New run", submit="Create the run", address=address)


@post(
    "/",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "run.create"},
    include_in_schema=False,
    request_max_body_size=LARGEST,
    status_code=HTTPStatus.SEE_OTHER,
)
async def create(
    request: AnyRequest,
    purpose: NamedDependency[SkipValidation[Purpose]],
    desk: NamedDependency[SkipValidation[Desk]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Make the run and show it, or the form again with what is wrong (``Any``: a page or a redirection)."""
    form = await checked_form(request)
    try:
        made = await run_service.create(home, request_of(form), caller, key=form.get("once")[:200] or None)
    except InvalidInputError as error:
        return desk.page(request, purpose, form, await desk.look(form), error)
    note(request, target=made.id)
    return see_other(run_page(desk.place, made.id))


@post(
    "/dependencies",
    guards=[runner],
    opt={CSRF_IN_FORM: True},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.OK,
)
async def check_dependencies(
    request: AnyRequest, pages: NamedDependency[SkipValidation[Pages]]
) -> Response[str]:
    """Say what is wrong with dependencies, line by line, for the module that asks as they are typed."""
    text = (await checked_form(request)).get("dependencies")
    return pages.page(request, "dependency_issues.html", dependency_issues=dependency_issues(text))


router = Router(
    PROJECT + "/new-run",
    route_handlers=[*FORM_HANDLERS, create, check_dependencies],
    dependencies={**AT_A_DESK, "purpose": Provide(provide_purpose)},
)
