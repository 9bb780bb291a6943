"""What sign-in needs of an OpenID provider."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.openid import AuthorizationRequest, CodeGrant, OpenIdClaims


class OpenIdProvider(Protocol):
    """A provider that people sign in at, by the authorization code flow with PKCE."""

    @property
    def issuer(self) -> str:
        """Its name, as its ID tokens have it."""
        ...

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """Return the address at the provider that a browser is sent to.

        Raises:
            IdentityProviderUnreachableError: the provider does not answer.
            IdentityProviderError: what it says of itself is not that of this issuer, or no such thing.
        """
        ...

    async def redeem(self, grant: CodeGrant) -> OpenIdClaims:
        """Exchange a code, once, and return what the provider's checked ID token says.

        Raises:
            UnauthenticatedError: the provider refuses the code, or the ID token is not for this sign-in.
            IdentityProviderUnreachableError: the provider does not answer.
            IdentityProviderError: it answers with something else, or does not take this server's credentials.
        """
        ...
