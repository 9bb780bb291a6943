"""Sign-in and sign-out: ``/sign-in`` takes name and password, or an API key. It works without a script."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import ANONYMOUS, AnyRequest, somebody
from daftray.api.auth_login import LoginRequest, signed_in
from daftray.api.authentication import CSRF_IN_FORM, Authenticator, credentials_of
from daftray.api.throttled import address_of
from daftray.domain.errors import DaftrayError, TooManyRequestsError, UnauthenticatedError
from daftray.identity.sessions import LONGEST, BrowserSessions
from daftray.identity.sign_in import KeySignIn, PasswordSignIn
from daftray.web.forms import SMALL, Form, checked_form, read_form
from daftray.web.pages import Pages
from daftray.web.redirects import local_path, see_other

_LONGEST_KEY = 400
_WRONG = "The name or the password is wrong."
_WRONG_KEY = "This is no API key of this server, or it was revoked or has expired."


@get("/sign-in", opt={ANONYMOUS: True}, include_in_schema=False)
async def show_sign_in(
    request: AnyRequest,
    pages: NamedDependency[SkipValidation[Pages]],
    authenticator: NamedDependency[SkipValidation[Authenticator]],
) -> Response[Any]:
    """Show the form; who is signed in goes on at once (``Any``: a page or a redirection)."""
    target = local_path(request.query_params.get("next"))
    if await authenticator.session_of(request):
        return see_other(target)
    return pages.page(request, "sign_in.html", target=target, name="", wrong=None, by_key=False)


@post(
    "/sign-in",
    opt={ANONYMOUS: True, AUDIT: "session.create"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def sign_in(
    request: AnyRequest,
    pages: NamedDependency[SkipValidation[Pages]],
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    password_sign_in: NamedDependency[SkipValidation[PasswordSignIn]],
    key_sign_in: NamedDependency[SkipValidation[KeySignIn]],
) -> Response[Any]:
    """Begin a session and go on, or show the form again with what is wrong (``Any``: as above)."""
    form = await read_form(request)
    target, by_key = local_path(form.get("next")), bool(form.get("key"))
    try:
        if by_key:
            cookie = await _by_key(request, authenticator, key_sign_in, form)
        else:
            cookie, _ = await signed_in(request, authenticator, password_sign_in, _login_of(form))
    except (UnauthenticatedError, TooManyRequestsError) as error:
        return _again(request, pages, error, form, target=target)
    answer = see_other(target)
    answer.set_cookie(authenticator.cookie(cookie, max_age_s=int(LONGEST.total_seconds())))
    return answer


@post(
    "/sign-out",
    guards=[somebody],
    opt={CSRF_IN_FORM: True, AUDIT: "session.end"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def sign_out(
    request: AnyRequest,
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    browser_sessions: NamedDependency[SkipValidation[BrowserSessions]],
) -> Response[Any]:
    """End the browser's session (``Any``: a redirection has no body)."""
    await checked_form(request)
    note(request, target=credentials_of(request).kind)
    await browser_sessions.end(authenticator.cookie_of(request) or "")
    answer = see_other("/sign-in")
    answer.set_cookie(authenticator.cookie("", max_age_s=0))
    return answer


async def _by_key(
    request: AnyRequest, authenticator: Authenticator, key_sign_in: KeySignIn, form: Form
) -> str:
    authenticator.check_origin(request)  # else a foreign page could sign the browser in as somebody else
    cookie, session = await key_sign_in.sign_in(
        form.get("key").strip()[:_LONGEST_KEY],
        address=address_of(request),
        replacing=authenticator.cookie_of(request),
    )
    note(request, target=session.session_id, actor=session.principal)
    return cookie


def _login_of(form: Form) -> LoginRequest:
    try:
        return msgspec.convert({"name": form.get("name"), "password": form.get("password")}, LoginRequest)
    except msgspec.ValidationError as exc:  # nobody has a name or a password of that length
        raise UnauthenticatedError(_WRONG) from exc


def _again(
    request: AnyRequest, pages: Pages, error: DaftrayError, form: Form, *, target: str
) -> Response[str]:
    by_key = bool(form.get("key"))
    shown = {"target": target, "name": form.get("name"), "by_key": by_key}
    if isinstance(error, TooManyRequestsError):
        page = pages.page(request, "sign_in.html", status=429, wrong=error.detail, **shown)
        page.headers["Retry-After"] = str(error.retry_after_s)
        return page
    return pages.page(request, "sign_in.html", status=401, wrong=_WRONG_KEY if by_key else _WRONG, **shown)


router = Router("/", route_handlers=[show_sign_in, sign_in, sign_out])
