"""Who holds the credentials that came with a request."""

from __future__ import annotations

from enum import StrEnum

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.principal import Principal, RunPrincipal
from daftray.identity import access_tokens, keys, run_tokens
from daftray.identity.access_tokens import AccessTokens
from daftray.identity.keys import ApiKeys
from daftray.identity.run_tokens import RunTokens


class CredentialKind(StrEnum):
    """What a caller showed."""

    KEY = "key"
    RUN_TOKEN = "run-token"  # noqa: S105 (a kind, no secret)
    ACCESS_TOKEN = "access-token"  # noqa: S105 (a kind, no secret)
    SESSION = "session"


class Identity:
    """Finds the principal of a bearer token, whichever kind it is."""

    def __init__(self, *, api_keys: ApiKeys, tokens: RunTokens, access_tokens: AccessTokens) -> None:
        self._api_keys = api_keys
        self._tokens = tokens
        self._access_tokens = access_tokens

    async def authenticate(self, bearer: str | None) -> Principal | RunPrincipal:
        """Return the caller. Raises `UnauthenticatedError`."""
        kind = kind_of(bearer)
        if bearer and kind is CredentialKind.KEY:
            return await self._api_keys.authenticate(bearer)
        if bearer and kind is CredentialKind.RUN_TOKEN:
            return await self._tokens.authenticate(bearer)
        if bearer and kind is CredentialKind.ACCESS_TOKEN:
            return await self._access_tokens.authenticate(bearer)
        raise UnauthenticatedError(
            "Send an API key or an access token: `Authorization: Bearer <key>`. `daftray login` gets one."
        )


def kind_of(bearer: str | None) -> CredentialKind | None:
    """Return what a bearer token looks like."""
    if not bearer:
        return None
    prefix = bearer.partition(".")[0]
    if prefix == keys.PREFIX:
        return CredentialKind.KEY
    if prefix == run_tokens.PREFIX:
        return CredentialKind.RUN_TOKEN
    return CredentialKind.ACCESS_TOKEN if prefix.startswith(access_tokens.PREFIX) else None
