"""The `OpenIdProvider` over HTTP. What each call means is said there."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec

from daftray.adapters.openid.id_token import Expected, KeyMissingError, verified
from daftray.adapters.openid.metadata import KeySet, Metadata, discover
from daftray.adapters.openid.rest import Connections, decoded, document, posted, raise_unavailable
from daftray.domain.errors import IdentityProviderError, UnauthenticatedError
from daftray.domain.openid import AuthorizationRequest, CodeGrant, OpenIdClaims
from daftray.domain.ports import Clock

log = logging.getLogger(__name__)

SCOPE = "openid email profile"
FRESH_FOR = timedelta(hours=1)
"""How long what a provider says of itself, and its keys, are kept."""
_WORD = re.compile(r"[a-z_]{1,50}")
_UNKNOWN_KEY = "The OpenID provider's ID token is signed by a key that the provider does not publish."


class OpenIdClient(msgspec.Struct, frozen=True, kw_only=True):
    """What this server is to the provider. Without a secret it is a public client, with PKCE alone.

    ``claims`` are those that are needed of a person: what the ID token lacks of them is asked for beside it.
    """

    issuer: str
    client_id: str
    client_secret: str | None = None
    claims: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Leave the secret out: a repr ends up in logs."""
        return f"OpenIdClient(issuer={self.issuer!r}, client_id={self.client_id!r})"


class _TokenAnswer(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str | None = None

    def __repr__(self) -> str:
        """Leave the tokens out."""
        return "_TokenAnswer()"


class _TokenRefusal(msgspec.Struct, frozen=True):
    error: str = ""


class HttpOpenIdProvider:
    """A provider at its issuer's address. Nothing is asked of it before somebody signs in."""

    def __init__(self, client: OpenIdClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._connections = Connections(client.issuer)
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    @property
    def issuer(self) -> str:
        """Its name."""
        return self._client.issuer

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """Return the address that a browser is sent to."""
        async with self._connections.opened() as http:
            address = (await self._known(http)).authorization_endpoint
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client.client_id,
                "redirect_uri": request.redirect_uri,
                "scope": SCOPE,
                "state": request.state,
                "nonce": request.nonce,
                "code_challenge": request.challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{address}{'&' if '?' in address else '?'}{query}"

    async def redeem(self, grant: CodeGrant) -> OpenIdClaims:
        """Exchange a code and return what the checked ID token says."""
        async with self._connections.opened() as http:
            metadata = await self._known(http)
            tokens = await self._exchanged(http, metadata, grant)
            claims = await self._verified(http, metadata, tokens.id_token, grant.nonce)
            claims = await self._completed(http, metadata, tokens, claims)
        return OpenIdClaims(issuer=self.issuer, subject=claims["sub"], claims=claims)

    async def _known(self, http: httpx.AsyncClient) -> Metadata:
        now = self._clock.now()
        if self._metadata is None or now - self._metadata[0] >= FRESH_FOR:
            self._metadata = now, await discover(http, self.issuer)
        return self._metadata[1]

    async def _exchanged(self, http: httpx.AsyncClient, metadata: Metadata, grant: CodeGrant) -> _TokenAnswer:
        """Return the tokens that a code is good for (RFC 6749, section 4.1.3)."""
        fields = {
            "grant_type": "authorization_code",
            "code": grant.code,
            "redirect_uri": grant.redirect_uri,
            "code_verifier": grant.verifier,
        }
        name, secret, auth = self._client.client_id, self._client.client_secret, None
        if secret is None:
            fields["client_id"] = name
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            auth = quote_plus(name), quote_plus(secret)  # RFC 6749, section 2.3.1
        else:
            fields |= {"client_id": name, "client_secret": secret}
        url = metadata.token_endpoint
        status, body = await posted(http, url, fields, auth=auth)
        if status == HTTPStatus.OK:
            return decoded(body, url, _TokenAnswer)
        raise_unavailable(status, url)
        raise _refusal(status, body)

    async def _completed(
        self, http: httpx.AsyncClient, metadata: Metadata, tokens: _TokenAnswer, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:  # any JSON
        """Add what the UserInfo endpoint alone tells (OpenID Connect Core 1.0, section 5.3)."""
        url = metadata.userinfo_endpoint
        if url is None or not tokens.access_token or all(name in claims for name in self._client.claims):
            return claims
        more = await document(http, url, dict[str, Any], bearer=tokens.access_token)
        if more.get("sub") != claims["sub"]:
            raise UnauthenticatedError("The OpenID provider tells of another person than its ID token does.")
        return {**more, **claims}

    async def _verified(
        self, http: httpx.AsyncClient, metadata: Metadata, token: str, nonce: str
    ) -> Mapping[str, Any]:  # any JSON
        expected = Expected(issuer=self.issuer, client_id=self._client.client_id, nonce=nonce)
        now = self._clock.now()
        try:
            if self._keys is not None and now - self._keys[0] < FRESH_FOR:
                return verified(token, self._keys[1].keys, expected, now=now)
        except KeyMissingError:
            log.info("the OpenID provider has a new key", extra={"action": "sign-in"})
        keys = await document(http, metadata.jwks_uri, KeySet)
        self._keys = now, keys
        try:
            return verified(token, keys.keys, expected, now=now)
        except KeyMissingError:
            raise UnauthenticatedError(_UNKNOWN_KEY) from None


def _refusal(status: int, body: bytes) -> Exception:
    """Return what a refusal of a code means (RFC 6749, section 5.2)."""
    try:
        said = msgspec.json.decode(body, type=_TokenRefusal).error
    except (msgspec.DecodeError, RecursionError):
        said = ""
    said = said if _WORD.fullmatch(said) else str(status)
    if said == "invalid_grant":
        return UnauthenticatedError("The OpenID provider refuses the code of this sign-in: sign in again.")
    return IdentityProviderError(
        f"The OpenID provider does not give this server a token ({said}): "
        "are DAFTRAY_OIDC_CLIENT_ID, DAFTRAY_OIDC_CLIENT_SECRET and the redirect address right there?"
    )
