"""What every form of a run does: it is shown, looks at the commit, and says what else does the same."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest, runner
from daftray.api.authentication import CSRF_IN_FORM
from daftray.web.forms import checked_form
from daftray.web.prefill import Prefill
from daftray.web.run_desk import Desk, Purpose
from daftray.web.run_look import Found

LARGEST = 1024 * 1024
"""Bytes of a filled-in form."""


@get("/", guards=[runner], include_in_schema=False)
async def show_form(
    request: AnyRequest,
    purpose: NamedDependency[SkipValidation[Purpose]],
    desk: NamedDependency[SkipValidation[Desk]],
) -> Response[str]:
    """Show the form as it begins; where it names a function, with fields for the arguments of that."""
    form = (purpose.prefill or Prefill()).form()
    found = await desk.look(form) if form.get("kind") == "function" else Found()
    return desk.page(request, purpose, form, found)


@post(
    "/look",
    guards=[runner],
    opt={CSRF_IN_FORM: True},
    include_in_schema=False,
    request_max_body_size=LARGEST,
    status_code=HTTPStatus.OK,
)
async def look(
    request: AnyRequest,
    purpose: NamedDependency[SkipValidation[Purpose]],
    desk: NamedDependency[SkipValidation[Desk]],
) -> Response[str]:
    """Show the form as it is filled in, with what the commit offers. Nothing is kept."""
    form = await checked_form(request)
    return desk.page(request, purpose, form, await desk.look(form))


@post(
    "/same-as",
    guards=[runner],
    opt={CSRF_IN_FORM: True},
    include_in_schema=False,
    request_max_body_size=LARGEST,
    status_code=HTTPStatus.OK,
)
async def say_same(
    request: AnyRequest,
    purpose: NamedDependency[SkipValidation[Purpose]],
    desk: NamedDependency[SkipValidation[Desk]],
) -> Response[str]:
    """Show the command, the code and the call that do the same as the form, for the module that asks.

    Git is not asked: this comes with every pause in typing.
    """
    return desk.same(request, purpose, await checked_form(request))


FORM_HANDLERS = [show_form, look, say_same]
