"""What a provider says of itself (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from daftray.adapters.openid.rest import document
from daftray.domain.errors import IdentityProviderError

WELL_KNOWN = "/.well-known/openid-configuration"


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a provider's metadata that sign-in uses."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """A set of keys (RFC 7517). A key is checked where it is used."""

    keys: list[dict[str, Any]]  # any JSON


async def discover(client: httpx.AsyncClient, issuer: str) -> Metadata:
    """Return the metadata of an issuer.

    Raises:
        IdentityProviderUnreachableError: the provider does not answer.
        IdentityProviderError: the metadata is another issuer's, or leads to where no TLS is.
    """
    found = await document(client, issuer.removesuffix("/") + WELL_KNOWN, Metadata)
    if found.issuer != issuer:
        raise IdentityProviderError(
            "The OpenID provider calls itself by another name than DAFTRAY_OIDC_ISSUER: give it exactly, "
            "with or without the slash at its end."
        )
    scheme = urlsplit(issuer).scheme
    named = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint)
    for url in named:
        if url is None:
            continue
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"https", scheme} or not parts.hostname:
            raise IdentityProviderError("The OpenID provider names an address that is not https.")
    return found
