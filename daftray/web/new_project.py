"""The form that makes a project in a workspace."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from msgspec.structs import replace

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import ConflictError, InvalidInputError
from daftray.identity.access import Place
from daftray.projects.service import Projects
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.places import new_project_page, project_page, provide_place
from daftray.web.project_form import ProjectForm, sent_form
from daftray.web.redirects import see_other
from daftray.web.refusals import Refusal


@get("/", guards=[admin], include_in_schema=False)
async def show_form(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show an empty form."""
    return _page(request, pages, place, ProjectForm())


@post(
    "/",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "project.create"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def create_project(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    projects: NamedDependency[SkipValidation[Projects]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Make it and show its settings, or the form again with what is wrong (``Any``: either)."""
    form = sent_form(await checked_form(request))
    try:
        asked = form.request("The project cannot be created as asked.")
        made = await projects.create(place.workspace.id, asked)
    except (InvalidInputError, ConflictError) as error:
        return _page(request, pages, place, form.shown_again, refused=form.refusal_of(error))
    note(request, target=made.id, project=made.id)
    return see_other(f"{project_page(replace(place, project=made))}/settings")


def _page(
    request: AnyRequest, pages: Pages, place: Place, form: ProjectForm, *, refused: Refusal | None = None
) -> Response[str]:
    return pages.page(
        request,
        "new_project.html",
        status=refused.status if refused else HTTPStatus.OK,
        address=new_project_page(place.workspace),
        form=form,
        refused=refused,
        secret_names=[],
    )


router = Router(
    "/new-project/{workspace:str}",
    route_handlers=[show_form, create_project],
    dependencies={"place": Provide(provide_place)},
)
