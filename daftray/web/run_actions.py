"""What people do with a run at its page: cancel it, run it again. Forms, which need no script."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.identity.access import Place
from daftray.runs.service import Runs
from daftray.web.forms import SMALL, checked_form
from daftray.web.places import NAMED, PROJECT, run_page
from daftray.web.redirects import see_other


@post(
    "/cancel",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "run.cancel"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def cancel_run(
    request: AnyRequest,
    run: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> Response[Any]:
    """Ask for the run's end, and show it (``Any``: a redirection has no body)."""
    await checked_form(request)
    return see_other(run_page(place, (await run_service.cancel(home, run)).id))


@post(
    "/rerun",
    guards=[runner],
    opt={CSRF_IN_FORM: True, AUDIT: "run.rerun"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def rerun(
    request: AnyRequest,
    run: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Response[Any]:
    """Make a new run of the same commit, and show that one. A form that is sent twice makes one run.

    (``Any``: as above.)
    """
    form = await checked_form(request)
    made = await run_service.rerun(home, run, {}, caller, key=form.get("once")[:200] or None)
    note(request, target=made.id)
    return see_other(run_page(place, made.id))


router = Router(PROJECT + "/runs/{run:str}", route_handlers=[cancel_run, rerun], dependencies=dict(NAMED))
