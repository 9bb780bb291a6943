"""Finds who calls: by a bearer token, or by the cookie of a browser's session.

A browser sends the cookie along whoever made it ask. So what changes something by cookie must come from a
page of ours (``Origin``, ``Sec-Fetch-Site``) and bring the session's token against forgery, in a header
or in a form's field. A bearer token is in no browser's keeping, and needs none of that.
"""

from __future__ import annotations

import hmac
from typing import cast
from urllib.parse import urlsplit

import msgspec
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp, HTTPScope

from daftray.api.auth import ANONYMOUS, AnyRequest, Connection
from daftray.domain.errors import ForbiddenError, UnauthenticatedError
from daftray.domain.principal import Principal, RunPrincipal
from daftray.identity.service import CredentialKind, Identity, kind_of
from daftray.identity.sessions import BrowserSessions, SignedIn

CSRF_IN_FORM = "csrf_in_form"
"""The route option of a page whose form brings the token: its handler checks it (`check_form`)."""
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FOREIGN = "The request comes from a page of another site."
_FORGED = f"The request lacks the session's token: send it as {CSRF_HEADER.title()} (GET /v1/auth/session)."


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller showed. ``bearer`` is the token; ``session`` who is signed in by cookie."""

    kind: CredentialKind
    bearer: str | None = None
    session: SignedIn | None = None

    def __repr__(self) -> str:
        """Leave the token out: a repr ends up in logs."""
        return f"Credentials(kind={self.kind!r})"


class Authenticator:
    """Checks a request's credentials.

    ``public_url`` is this server's address for people, where there is one; where it begins with https,
    cookies are for https alone.
    """

    def __init__(self, *, identity: Identity, sessions: BrowserSessions, public_url: str | None) -> None:
        self._identity = identity
        self._sessions = sessions
        self._public_url = public_url.rstrip("/") if public_url else None

    async def authenticate(self, connection: Connection) -> tuple[Principal | RunPrincipal, Credentials]:
        """Return who calls, and by what.

        Raises:
            UnauthenticatedError: nobody whom we know.
            ForbiddenError: a browser's session, but another site's request.
        """
        bearer, cookie = bearer_of(connection), self.cookie_of(connection)
        kind = kind_of(bearer)
        if bearer is not None or cookie is None:
            caller = await self._identity.authenticate(bearer)
            return caller, Credentials(kind=kind or CredentialKind.KEY, bearer=bearer)
        session = await self._sessions.authenticate(cookie)
        self._check_browser(connection, session)
        return session.principal, Credentials(kind=CredentialKind.SESSION, session=session)

    async def session_of(self, connection: Connection) -> SignedIn | None:
        """Return who is signed in by cookie, if anybody, to show them a page."""
        cookie = self.cookie_of(connection)
        if cookie is None:
            return None
        try:
            return await self._sessions.authenticate(cookie)
        except UnauthenticatedError:
            return None

    def check_origin(self, connection: Connection) -> None:
        """Raise `ForbiddenError` where a browser says that another site's page made it ask.

        Programs say nothing of the kind, and pass.
        """
        site = connection.headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            raise ForbiddenError(_FOREIGN)
        origin = connection.headers.get("origin")
        if origin is None:
            return
        named = urlsplit(origin)
        ours = {connection.headers.get("host", "")}
        if self._public_url:
            ours.add(urlsplit(self._public_url).netloc)
        if named.scheme not in {"http", "https"} or named.netloc not in ours:
            raise ForbiddenError(_FOREIGN)

    def url_of(self, request: AnyRequest) -> str:
        """Return this server's address as a person's browser reaches it, without a slash at the end."""
        return self._public_url or str(request.base_url).rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether cookies are for https alone."""
        return bool(self._public_url and self._public_url.startswith("https://"))

    @property
    def cookie_name(self) -> str:
        """The cookie's name; with the prefix no other host and no plain http can set one of it."""
        return "__Host-daftray" if self.secure else "daftray"

    def cookie_of(self, connection: Connection) -> str | None:
        """Return the session's cookie, as it came."""
        return connection.cookies.get(self.cookie_name)

    def cookie(self, value: str, *, max_age_s: int) -> Cookie:
        """Return a cookie for a session; an age of zero takes it from the browser."""
        return Cookie(
            key=self.cookie_name,
            value=value,
            max_age=max_age_s,
            path="/",
            httponly=True,
            secure=self.secure,
            samesite="lax",
        )

    def _check_browser(self, connection: Connection, session: SignedIn) -> None:
        # The handshake of a WebSocket is a GET that any page may make, with our cookie on a sister's page.
        if connection.scope["type"] == ScopeType.WEBSOCKET:
            self.check_origin(connection)
            return
        if method_of(connection) in _SAFE:
            return
        self.check_origin(connection)
        if not connection.route_handler.opt.get(CSRF_IN_FORM):
            check_token(session, connection.headers.get(CSRF_HEADER))


class CallerAuthentication(AbstractAuthenticationMiddleware):
    """Finds the principal of each request, but of those to paths that anybody may call."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        super().__init__(app, exclude_from_auth_key=ANONYMOUS)
        self._authenticator = authenticator

    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        """Return the principal. Raises `UnauthenticatedError`, `ForbiddenError`."""
        caller, credentials = await self._authenticator.authenticate(connection)
        return AuthenticationResult(user=caller, auth=credentials)


def bearer_of(connection: Connection) -> str | None:
    """Return ``Authorization: Bearer``, or ``X-API-Key`` where a proxy takes the other."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return connection.headers.get("x-api-key")


def credentials_of(connection: Connection) -> Credentials:
    """Return what the caller of a path that needs a caller showed."""
    shown: object = connection.auth
    if not isinstance(shown, Credentials):
        raise UnauthenticatedError
    return shown


def check_token(session: SignedIn, token: str | None) -> None:
    """Raise `ForbiddenError` where the session's token against forged requests is missing or another's."""
    if not hmac.compare_digest((token or "").encode(), session.csrf_token.encode()):
        raise ForbiddenError(_FORGED)


def method_of(connection: Connection) -> str:
    """Return the method of an HTTP request."""
    return cast("HTTPScope", connection.scope)["method"]
