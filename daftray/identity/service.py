"""Who holds the credentials that came with a request."""

from __future__ import annotations

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.principal import Principal, RunPrincipal
from daftray.identity import keys, run_tokens
from daftray.identity.keys import ApiKeys
from daftray.identity.run_tokens import RunTokens


class Identity:
    """Finds the principal of a bearer token, whichever kind it is."""

    def __init__(self, *, api_keys: ApiKeys, tokens: RunTokens) -> None:
        self._api_keys = api_keys
        self._tokens = tokens

    async def authenticate(self, bearer: str | None) -> Principal | RunPrincipal:
        """Return the caller. Raises `UnauthenticatedError`."""
        prefix = (bearer or "").partition(".")[0]
        if bearer and prefix == keys.PREFIX:
            return await self._api_keys.authenticate(bearer)
        if bearer and prefix == run_tokens.PREFIX:
            return await self._tokens.authenticate(bearer)
        raise UnauthenticatedError("Send an API key: `Authorization: Bearer <key>`.")
