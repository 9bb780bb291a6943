"""Sign-in of a person in a browser by an OpenID provider: ``/v1/auth/oidc``."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation
from litestar.response import Redirect

from daftray.api.audit import AUDIT, note
from daftray.api.auth import ANONYMOUS, AnyRequest
from daftray.api.authentication import Authenticator
from daftray.api.documented import PROBLEMS
from daftray.api.throttled import address_of
from daftray.domain.errors import NotFoundError
from daftray.identity.openid_sign_in import LIFETIME, OpenIdSignIn, ProviderAnswer
from daftray.identity.sessions import LONGEST

CALLBACK = "/v1/auth/oidc/callback"
"""The path that a provider has to know, behind this server's address."""
_LONGEST_CODE = 8192

NextParameter = Annotated[
    str, QueryParameter(name="next", max_length=1000, description="The path to go on at.")
]
StateParameter = Annotated[str | None, QueryParameter(name="state", max_length=200)]
CodeParameter = Annotated[str | None, QueryParameter(name="code", max_length=_LONGEST_CODE)]
ErrorParameter = Annotated[str | None, QueryParameter(name="error", max_length=200)]
IssuerParameter = Annotated[
    str | None, QueryParameter(name="iss", max_length=1000, description="Who answers (RFC 9207).")
]


@get(
    "/v1/auth/oidc/start",
    opt={ANONYMOUS: True, PROBLEMS: (404, 429, 502)},
    status_code=302,
    summary="Go to the OpenID provider",
)
async def start(
    request: AnyRequest,
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    openid_sign_in: NamedDependency[SkipValidation[OpenIdSignIn | None]],
    next_path: NextParameter = "/",
) -> Redirect:
    """Send the browser to the OpenID provider, with a cookie that ties the answer to it."""
    begun = await _configured(openid_sign_in).begin(
        next_path, redirect_uri=authenticator.url_of(request) + CALLBACK, address=address_of(request)
    )
    cookie = waiting_cookie(authenticator, begun.cookie, max_age_s=int(LIFETIME.total_seconds()))
    return Redirect(begun.url, cookies=[cookie])


@get(
    CALLBACK,
    opt={ANONYMOUS: True, AUDIT: "session.create", PROBLEMS: (401, 403, 404, 429, 502)},
    status_code=302,
    summary="Come back from the OpenID provider",
)
async def callback(
    request: AnyRequest,
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    openid_sign_in: NamedDependency[SkipValidation[OpenIdSignIn | None]],
    state_of_answer: StateParameter = None,
    code: CodeParameter = None,
    error: ErrorParameter = None,
    issuer: IssuerParameter = None,
) -> Redirect:
    """Begin a session for whom the provider vouches, and go on where the browser wanted to."""
    entered = await _configured(openid_sign_in).finish(
        ProviderAnswer(state=state_of_answer, code=code, error=error, issuer=issuer),
        cookie=request.cookies.get(waiting_name(authenticator)),
        redirect_uri=authenticator.url_of(request) + CALLBACK,
        address=address_of(request),
        replacing=authenticator.cookie_of(request),
    )
    note(request, target=entered.session.session_id, actor=entered.session.principal)
    session = authenticator.cookie(entered.cookie, max_age_s=int(LONGEST.total_seconds()))
    return Redirect(entered.next, cookies=[session, waiting_cookie(authenticator, "", max_age_s=0)])


def waiting_name(authenticator: Authenticator) -> str:
    """Return the name of the cookie of whoever is at the provider."""
    return f"{authenticator.cookie_name}-oidc"


def waiting_cookie(authenticator: Authenticator, value: str, *, max_age_s: int) -> Cookie:
    """Return that cookie. The provider sends the browser here from its own page, so it is not strict."""
    return Cookie(
        key=waiting_name(authenticator),
        value=value,
        max_age=max_age_s,
        path="/",
        httponly=True,
        secure=authenticator.secure,
        samesite="lax",
    )


def _configured(sign_in: OpenIdSignIn | None) -> OpenIdSignIn:
    if sign_in is None:
        raise NotFoundError("This server has no OpenID provider: sign in with name and password.")
    return sign_in


router = Router("/", route_handlers=[start, callback], tags=["sign-in"])
