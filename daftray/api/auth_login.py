"""Sign-in of a person in a browser, with name and password: ``/v1/auth/login``."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import ANONYMOUS, AnyRequest
from daftray.api.auth_tokens import WhoAmI, shown
from daftray.api.authentication import Authenticator
from daftray.api.documented import PROBLEMS
from daftray.api.strict import refuse_unknown
from daftray.api.throttled import address_of
from daftray.identity.sessions import LONGEST, SignedIn
from daftray.identity.sign_in import PasswordSignIn


class LoginRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a sign-in."""

    name: Annotated[str, msgspec.Meta(max_length=200)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]

    def __repr__(self) -> str:
        """Leave the password out: a repr ends up in logs."""
        return "LoginRequest()"


@post(
    "/v1/auth/login",
    opt={ANONYMOUS: True, AUDIT: "session.create", PROBLEMS: (401, 403, 429)},
    status_code=200,
    summary="Sign in with name and password",
)
async def login(
    request: AnyRequest,
    data: JSONBody[LoginRequest],
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    password_sign_in: NamedDependency[SkipValidation[PasswordSignIn]],
) -> Response[WhoAmI]:
    """Begin a session, in a cookie that no script can read, and return who is signed in."""
    refuse_unknown(await request.body(), data)
    cookie, session = await signed_in(request, authenticator, password_sign_in, data)
    answer = Response(shown(session.principal, session))
    set_session(answer, authenticator, cookie)
    return answer


async def signed_in(
    request: AnyRequest, authenticator: Authenticator, password_sign_in: PasswordSignIn, data: LoginRequest
) -> tuple[str, SignedIn]:
    """Sign somebody in, and note it for the audit log; return the cookie of the session, and who it is."""
    authenticator.check_origin(request)  # else a foreign page could sign the browser in as somebody else
    cookie, session = await password_sign_in.sign_in(
        data.name, data.password, address=address_of(request), replacing=authenticator.cookie_of(request)
    )
    note(request, target=session.session_id, actor=session.principal)
    return cookie, session


def set_session(answer: Response[WhoAmI], authenticator: Authenticator, cookie: str) -> None:
    """Give the browser its session."""
    answer.set_cookie(authenticator.cookie(cookie, max_age_s=int(LONGEST.total_seconds())))


router = Router("/", route_handlers=[login], tags=["sign-in"])
