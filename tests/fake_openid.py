"""An OpenID provider in memory."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from daftray.domain.errors import IdentityProviderUnreachableError, UnauthenticatedError
from daftray.domain.openid import AuthorizationRequest, CodeGrant, OpenIdClaims
from daftray.identity.openid_sign_in import challenge_of


class FakeOpenIdProvider:
    """Signs everybody in as ``person``. ``down`` makes it answer nothing."""

    def __init__(self, person: dict[str, Any]) -> None:
        self.person = person
        self.down = False
        self.issuer = "https://id.example"
        self._waiting: dict[str, dict[str, str]] = {}

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        self._answer()
        query = {
            "response_type": "code",
            "code_challenge_method": "S256",
            "scope": "openid email profile",
            "client_id": "daftray",
            "redirect_uri": request.redirect_uri,
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": request.challenge,
        }
        return f"{self.issuer}/authorize?{urlencode(query)}"

    def authorize(self, asked: dict[str, str]) -> str:
        code = f"code-{asked['state']}"
        self._waiting[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    async def redeem(self, grant: CodeGrant) -> OpenIdClaims:
        self._answer()
        asked = self._waiting.pop(grant.code, {})
        known = asked.get("redirect_uri"), asked.get("nonce"), asked.get("code_challenge")
        if known != (grant.redirect_uri, grant.nonce, challenge_of(grant.verifier)):
            raise UnauthenticatedError
        return OpenIdClaims(issuer=self.issuer, subject=self.person["sub"], claims=self.person)

    def _answer(self) -> None:
        if self.down:
            raise IdentityProviderUnreachableError
