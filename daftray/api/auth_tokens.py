"""Refresh, sign-out, and who one is: ``/v1/auth``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import ANONYMOUS, AnyRequest, person, somebody
from daftray.api.authentication import Authenticator, credentials_of
from daftray.api.documented import PROBLEMS
from daftray.api.throttled import address_of
from daftray.domain.errors import InvalidInputError
from daftray.domain.ports.throttle import Throttle
from daftray.domain.principal import Grant, Principal
from daftray.domain.session import Tokens
from daftray.domain.throttle import REFRESH_BY_ADDRESS
from daftray.identity.access_tokens import AccessTokens
from daftray.identity.refresh import TokenFamilies
from daftray.identity.service import CredentialKind
from daftray.identity.sessions import BrowserSessions, SignedIn


class RefreshRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a refresh call."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=400)]

    def __repr__(self) -> str:
        """Leave the token out: a repr ends up in logs."""
        return "RefreshRequest()"


class GrantShown(msgspec.Struct, frozen=True, kw_only=True):
    """A role in a project, or in the whole workspace; both by id."""

    workspace: str
    project: str | None
    role: Literal["viewer", "runner", "admin"]


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """The caller. A browser's changes bring ``csrf_token`` along; others have none."""

    id: str
    name: str
    kind: Literal["key", "person"]
    operator: bool
    grants: list[GrantShown]
    csrf_token: str | None = None


@post(
    "/refresh",
    opt={ANONYMOUS: True, PROBLEMS: (401, 429)},
    status_code=200,
    summary="Trade a refresh token for new tokens",
)
async def refresh(
    request: AnyRequest,
    data: JSONBody[RefreshRequest],
    token_families: NamedDependency[SkipValidation[TokenFamilies]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> Tokens:
    """Return new tokens. The old refresh token is spent: one that comes again ends its sign-in."""
    throttle.hit(REFRESH_BY_ADDRESS, address_of(request))
    return await token_families.refresh(data.refresh_token)


@post(
    "/revoke",
    opt={ANONYMOUS: True, PROBLEMS: (429,)},
    status_code=204,
    summary="End the sign-in of a refresh token",
)
async def revoke(
    request: AnyRequest,
    data: JSONBody[RefreshRequest],
    token_families: NamedDependency[SkipValidation[TokenFamilies]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> None:
    """End it; of a token that is none nothing is said (RFC 7009)."""
    throttle.hit(REFRESH_BY_ADDRESS, address_of(request))
    await token_families.end(data.refresh_token)


@post("/logout", guards=[somebody], opt={AUDIT: "session.end"}, status_code=204, summary="Sign out")
async def logout(
    request: AnyRequest,
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    token_families: NamedDependency[SkipValidation[TokenFamilies]],
    access_tokens: NamedDependency[SkipValidation[AccessTokens]],
    browser_sessions: NamedDependency[SkipValidation[BrowserSessions]],
) -> Response[None]:
    """End the browser's session, or the sign-in that the access token is of."""
    credentials, answer = credentials_of(request), Response(None)
    note(request, target=credentials.kind)
    if credentials.session is not None:
        await browser_sessions.end(authenticator.cookie_of(request) or "")
        answer.set_cookie(authenticator.cookie("", max_age_s=0))
    elif credentials.kind is CredentialKind.ACCESS_TOKEN and credentials.bearer:
        await token_families.end_family(access_tokens.read(credentials.bearer).fam)
    else:
        raise InvalidInputError("An API key is not signed out but revoked: `daftray keys revoke`.")
    return answer


@get("/session", guards=[somebody], summary="Who am I?")
async def session(request: AnyRequest) -> WhoAmI:
    """Return the caller: id, name, what they may do where."""
    return shown(person(request), credentials_of(request).session)


def shown(caller: Principal, session: SignedIn | None) -> WhoAmI:
    """Return a caller as they are told who they are."""
    return WhoAmI(
        id=caller.id,
        name=caller.name,
        kind=caller.kind,
        operator=caller.operator,
        grants=[_shown(grant) for grant in caller.grants],
        csrf_token=session.csrf_token if session else None,
    )


def _shown(grant: Grant) -> GrantShown:
    role: Literal["viewer", "runner", "admin"] = msgspec.convert(
        grant.role.name.lower(), Literal["viewer", "runner", "admin"]
    )
    return GrantShown(workspace=grant.workspace, project=grant.project, role=role)


router = Router("/v1/auth", route_handlers=[refresh, revoke, logout, session], tags=["sign-in"])
