"""Sign-in of a person in a browser by an OpenID provider: the authorization code flow with PKCE.

What ties the answer to the browser that began is in a signed cookie, for ten minutes: nothing is kept here of
somebody who never comes back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from datetime import timedelta

import msgspec

from daftray.domain.errors import (
    DaftrayError,
    ForbiddenError,
    InvalidInputError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from daftray.domain.ids import Ids
from daftray.domain.openid import AuthorizationRequest, CodeGrant
from daftray.domain.ports import Clock, OpenIdProvider
from daftray.domain.ports.sessions import SignedClaims
from daftray.domain.ports.throttle import Throttle
from daftray.domain.throttle import LOGIN_BY_ADDRESS, OPENID_ANSWER
from daftray.identity.digests import digest_of
from daftray.identity.openid_people import OpenIdPeople
from daftray.identity.sessions import BrowserSessions, SignedIn

log = logging.getLogger(__name__)

LIFETIME = timedelta(minutes=10)
"""How long somebody may take at the provider."""
_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,999}")
"""A path of ours: no host can hide in it, since browsers take a backslash for a slash."""
_WORD = re.compile(r"[a-z_]{1,50}")
_FOREIGN = "This answer is not to a sign-in that this browser began in the last ten minutes: sign in again."


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What the cookie holds while somebody is at the provider; ``exp`` is in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    next: str
    exp: int


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser goes, and the cookie that it brings back."""

    url: str
    cookie: str


class ProviderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser brought from the provider (RFC 6749, section 4.1.2, and RFC 9207)."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None

    def __repr__(self) -> str:
        """Leave the code out: a repr ends up in logs."""
        return "ProviderAnswer()"


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A new session's cookie, who is signed in, and the path to go on at."""

    cookie: str
    session: SignedIn
    next: str

    def __repr__(self) -> str:
        """Leave the cookie out: a repr ends up in logs."""
        return f"Entered(session={self.session!r})"


class OpenIdSignIn:
    """Lets people in for whom the provider vouches."""

    def __init__(
        self,
        *,
        provider: OpenIdProvider,
        people: OpenIdPeople,
        sessions: BrowserSessions,
        claims: SignedClaims,
        throttle: Throttle,
        ids: Ids,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._people = people
        self._sessions = sessions
        self._claims = claims
        self._throttle = throttle
        self._ids = ids
        self._clock = clock

    async def begin(self, next_path: str, *, redirect_uri: str, address: str) -> Begun:
        """Return where the browser goes. It comes back to ``redirect_uri``, and in the end to the path.

        Raises:
            InvalidInputError: the path is none of this server's.
            TooManyRequestsError: too many tries from that address.
            IdentityProviderError: the provider cannot be had.
        """
        self._throttle.hit(LOGIN_BY_ADDRESS, address)
        if not _LOCAL_PATH.fullmatch(next_path):
            raise InvalidInputError("next: give a path of this server, which begins with one slash.")
        ends = self._clock.now() + LIFETIME
        waiting = Waiting(
            state=self._ids.token(),
            nonce=self._ids.token(),
            verifier=self._ids.token(),
            next=next_path,
            exp=int(ends.timestamp()),
        )
        url = await self._provider.authorization_url(
            AuthorizationRequest(
                redirect_uri=redirect_uri,
                state=waiting.state,
                nonce=waiting.nonce,
                challenge=challenge_of(waiting.verifier),
            )
        )
        return Begun(url=url, cookie=self._claims.issue(msgspec.to_builtins(waiting)))

    async def finish(
        self,
        answer: ProviderAnswer,
        *,
        cookie: str | None,
        redirect_uri: str,
        address: str,
        replacing: str | None,
    ) -> Entered:
        """Return the new session. The one of the browser's old cookie ends.

        Raises:
            UnauthenticatedError: the answer is not to what this browser began, or is good no more.
            ForbiddenError: the provider or the operator does not let that person in.
            TooManyRequestsError: too many tries from that address.
            IdentityProviderError: the provider cannot be had.
        """
        self._throttle.hit(LOGIN_BY_ADDRESS, address)
        try:
            waiting = self._waiting(answer, cookie)
            known = await self._provider.redeem(
                CodeGrant(
                    code=_code_of(answer),
                    verifier=waiting.verifier,
                    nonce=waiting.nonce,
                    redirect_uri=redirect_uri,
                )
            )
            user = await self._people.find(known, remote=address)
        except DaftrayError as exc:
            fields = {"action": "sign-in", "code": exc.code, "remote": address}
            log.warning("a sign-in by OpenID failed: %s", exc.detail, extra=fields)
            raise
        session = await self._sessions.begin(user.id, replacing=replacing)
        return Entered(cookie=session, session=await self._sessions.authenticate(session), next=waiting.next)

    def _waiting(self, answer: ProviderAnswer, cookie: str | None) -> Waiting:
        """Return what this browser began, which this answers, and which no answer came to before."""
        try:
            waiting = msgspec.convert(self._claims.read(cookie or "", now=self._clock.now()), Waiting)
        except (UnauthenticatedError, msgspec.ValidationError) as exc:
            raise UnauthenticatedError(_FOREIGN) from exc
        if not hmac.compare_digest((answer.state or "").encode(), waiting.state.encode()):
            raise UnauthenticatedError(_FOREIGN)
        if answer.issuer not in {None, self._provider.issuer}:
            raise UnauthenticatedError(_FOREIGN)
        try:  # other servers do not know of it; there the provider's refusal of a used code has to do
            self._throttle.hit(OPENID_ANSWER, digest_of(waiting.state))
        except TooManyRequestsError as exc:
            raise UnauthenticatedError(_FOREIGN) from exc
        return waiting


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _code_of(answer: ProviderAnswer) -> str:
    if answer.error is not None:
        said = answer.error if _WORD.fullmatch(answer.error) else "no known reason"
        raise ForbiddenError(f"The OpenID provider did not sign you in ({said}).")
    if not answer.code:
        raise UnauthenticatedError(_FOREIGN)
    return answer.code
