"""The form that makes a run. It works without a script: *Look* reads the commit and offers what is there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import DaftrayError, InvalidInputError
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.signature import Callable
from daftray.entrypoints.service import Entrypoints
from daftray.identity.access import Place
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.service import Runs
from daftray.web.forms import Form, checked_form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page, run_page
from daftray.web.redirects import see_other
from daftray.web.run_form import request_of

_LARGEST = 1024 * 1024
KINDS = ("file", "module", "function")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What of the commit the form offers; ``trouble`` says why there is less than was asked for."""

    files: list[str] = []
    callables: list[Callable] = []
    trouble: str | None = None


async def provide_secret_names(
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
) -> list[str]:
    """Return the names of the project's secrets, which every run of it gets."""
    return [secret.name for secret in await project_secrets.list(home.id)]


@get("/", guards=[runner], include_in_schema=False)
async def show_form(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    secret_names: NamedDependency[SkipValidation[list[str]]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show an empty form."""
    return _page(request, pages, place, Form([("kind", "file")]), Found(), secret_names)


@post(
    "/look",
    guards=[runner],
    opt={CSRF_IN_FORM: True},
    include_in_schema=False,
    request_max_body_size=_LARGEST,
    status_code=HTTPStatus.OK,
)
async def look(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    entrypoints: NamedDependency[SkipValidation[Entrypoints]],
    secret_names: NamedDependency[SkipValidation[list[str]]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the form as it is filled in, with what the commit offers. Nothing is kept."""
    form = await checked_form(request)
    return _page(request, pages, place, form, await _found(entrypoints, home, form), secret_names)


@post(
    "/",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "run.create"},
    include_in_schema=False,
    request_max_body_size=_LARGEST,
    status_code=HTTPStatus.SEE_OTHER,
)
async def create(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    entrypoints: NamedDependency[SkipValidation[Entrypoints]],
    secret_names: NamedDependency[SkipValidation[list[str]]],
    caller: NamedDependency[SkipValidation[Principal]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Make the run and show it, or the form again with what is wrong (``Any``: a page or a redirection)."""
    form = await checked_form(request)
    try:
        made = await run_service.create(home, request_of(form), caller, key=form.get("once")[:200] or None)
    except InvalidInputError as error:
        found = await _found(entrypoints, home, form)
        return _page(request, pages, place, form, found, secret_names, wrong=error)
    note(request, target=made.id)
    return see_other(run_page(place, made.id))


async def _found(entrypoints: Entrypoints, home: Project, form: Form) -> Found:
    ref, path = form.get("ref").strip() or None, form.get("path").strip()
    found = Found()
    try:
        found = Found(files=(await entrypoints.files(home, ref)).files)
        if form.get("kind") == "function" and path:
            listed = await entrypoints.callables(home, ref, path)
            found = msgspec.structs.replace(found, callables=listed.callables)
    except DaftrayError as error:
        found = msgspec.structs.replace(found, trouble=error.detail)
    return found


def _page(
    request: AnyRequest,
    pages: Pages,
    place: Place,
    form: Form,
    found: Found,
    secret_names: list[str],
    *,
    wrong: InvalidInputError | None = None,
) -> Response[str]:
    chosen = next((one for one in found.callables if one.symbol == form.get("symbol")), None)
    return pages.page(
        request,
        "new_run.html",
        status=HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK,
        address=f"{project_page(place)}/new-run",
        form=form,
        found=found,
        chosen=chosen,
        secret_names=secret_names,
        kinds=KINDS,
        wrong=wrong,
    )


router = Router(
    PROJECT + "/new-run",
    route_handlers=[show_form, look, create],
    dependencies={**NAMED, "secret_names": Provide(provide_secret_names)},
)
