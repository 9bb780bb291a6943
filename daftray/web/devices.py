"""Approval of a program that wants to sign in (RFC 8628): ``/device``. It works without a script."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT
from daftray.api.auth import AnyRequest, person, somebody
from daftray.api.auth_devices import DeviceDecision, decide
from daftray.api.authentication import CSRF_IN_FORM, credentials_of
from daftray.api.throttled import address_of, counting_misses
from daftray.domain.errors import DeviceNotFoundError, ForbiddenError, InvalidInputError
from daftray.domain.ports.throttle import Throttle
from daftray.domain.throttle import FAILED_CODE
from daftray.identity.devices import ALPHABET, CODE_LETTERS, Devices
from daftray.identity.service import CredentialKind
from daftray.web.forms import SMALL, Form, checked_form
from daftray.web.pages import Pages

_LONGEST_CODE = 40


@get("/device", guards=[somebody], include_in_schema=False)
async def show_device(
    request: AnyRequest,
    pages: NamedDependency[SkipValidation[Pages]],
    device_flow: NamedDependency[SkipValidation[Devices]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> Response[str]:
    """Ask for the code; once it is known, ask whether the program that shows it may sign in."""
    code = _plain(request.query_params.get("user_code", ""))
    if not code:
        return pages.page(request, "device.html", code="", wrong=None)
    try:
        return await _question(request, pages, device_flow, throttle, code)
    except DeviceNotFoundError as error:
        return pages.page(request, "device.html", status=404, code=code, wrong=error.detail)


@post(
    "/device",
    guards=[somebody],
    opt={CSRF_IN_FORM: True, AUDIT: "device.decide"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.OK,
)
async def decide_device(
    request: AnyRequest,
    pages: NamedDependency[SkipValidation[Pages]],
    device_flow: NamedDependency[SkipValidation[Devices]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> Response[Any]:
    """Let the program sign in as the caller, or refuse it (``Any``: a page or an error)."""
    form, caller = await checked_form(request), person(request)
    if credentials_of(request).kind is CredentialKind.ACCESS_TOKEN:
        # One sign-in must not beget others, which would outlive it.
        raise ForbiddenError("Approve in a browser in which you signed in, or with an API key.")
    decision = _decision_of(form)
    try:
        with counting_misses(throttle, FAILED_CODE, caller.id, address_of(request)):
            decided = await decide(request, device_flow, caller, decision)
    except DeviceNotFoundError as error:
        return pages.page(request, "device.html", status=404, code=decision.user_code, wrong=error.detail)
    return pages.page(request, "device_decided.html", approved=decided.approved)


async def _question(
    request: AnyRequest, pages: Pages, device_flow: Devices, throttle: Throttle, code: str
) -> Response[str]:
    caller = person(request)
    with counting_misses(throttle, FAILED_CODE, caller.id, address_of(request)):
        device = await device_flow.waiting(code)
    workspaces = await device_flow.workspaces_of(caller)
    return pages.page(request, "device_question.html", code=code, device=device, workspaces=workspaces)


def _decision_of(form: Form) -> DeviceDecision:
    choice = form.get("decision")
    if choice not in {"approve", "deny"}:
        raise InvalidInputError("Say whether to approve or to deny.")
    approve = choice == "approve"
    workspace = form.get("workspace") if approve else None
    return DeviceDecision(
        user_code=_plain(form.get("user_code")), approve=approve, workspace=workspace or None
    )


def _plain(typed: str) -> str:
    """Return a code as it was shown, however it is typed."""
    letters = "".join(letter for letter in typed[:_LONGEST_CODE].upper() if letter in ALPHABET)
    half = CODE_LETTERS // 2
    return f"{letters[:half]}-{letters[half:]}" if len(letters) == CODE_LETTERS else letters


router = Router("/", route_handlers=[show_device, decide_device])
