"""The form that runs a run again with changes: what it says otherwise overrides what the run was asked."""

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
from daftray.runs.service import Runs
from daftray.runs.sources import pinned
from daftray.web.forms import checked_form
from daftray.web.places import PROJECT, run_page
from daftray.web.prefill import Prefill, prefill_of
from daftray.web.redirects import see_other
from daftray.web.run_desk import AT_A_DESK, Desk, Purpose
from daftray.web.run_form import overrides_of
from daftray.web.run_forms import FORM_HANDLERS, LARGEST


async def provide_purpose(
    run: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> Purpose:
    """Return what the form is for: the path's run again. Raises `RunNotFoundError`."""
    before = await run_service.get(home, run)
    page = run_page(place, before.id)
    return Purpose(
        kind="rerun",
        title="Run again with changes",
        submit="Run again",
        address=f"{page}/again",
        prefill=prefill_of(before, pinned(before)),
        target=before.id,
        back=(page, before.name or before.entrypoint.label),
        own_secrets=before.secret_names,
    )


@post(
    "/",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "run.rerun"},
    include_in_schema=False,
    request_max_body_size=LARGEST,
    status_code=HTTPStatus.SEE_OTHER,
)
async def run_again(
    request: AnyRequest,
    run: FromPath[str],
    purpose: NamedDependency[SkipValidation[Purpose]],
    desk: NamedDependency[SkipValidation[Desk]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Make the run and show it, or the form again with what is wrong (``Any``: a page or a redirection)."""
    form = await checked_form(request)
    try:
        overrides = overrides_of(form, purpose.prefill or Prefill())
        made = await run_service.rerun(home, run, overrides, caller, key=form.get("once")[:200] or None)
    except InvalidInputError as error:
        return desk.page(request, purpose, form, await desk.look(form), error)
    note(request, target=made.id)
    return see_other(run_page(desk.place, made.id))


router = Router(
    PROJECT + "/runs/{run:str}/again",
    route_handlers=[*FORM_HANDLERS, run_again],
    dependencies={**AT_A_DESK, "purpose": Provide(provide_purpose)},
)
