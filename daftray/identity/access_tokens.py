"""Access tokens: JSON Web Tokens of a quarter of an hour, for one workspace, of one family.

They say who asks, and nothing of what that may be: that is looked up with each request, so that whatever is
taken from somebody is taken at once.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock
from daftray.domain.ports.sessions import SignedClaims, TokenFamilyStore
from daftray.domain.principal import Principal
from daftray.domain.session import AccessClaims, TokenFamily
from daftray.identity.holders import Holders

LIFETIME = timedelta(minutes=15)
"""More than five minutes: Daft Cloud's client takes a new one when fewer are left."""
PREFIX = "eyJ"
"""How every JSON Web Token begins: the base64 of an object's first two characters."""
_ENDED = "The token's sign-in has ended: sign in again."


class AccessTokens:
    """Makes and checks access tokens."""

    def __init__(
        self, *, claims: SignedClaims, families: TokenFamilyStore, holders: Holders, ids: Ids, clock: Clock
    ) -> None:
        self._claims = claims
        self._ids = ids
        self._families = families
        self._holders = holders
        self._clock = clock

    def issue(self, family: TokenFamily) -> str:
        """Return a token of a family."""
        now = int(self._clock.now().timestamp())
        lifetime = int(LIFETIME.total_seconds())
        claims = AccessClaims(
            jti=self._ids.token(),
            sub=family.holder,
            wid=family.workspace,
            fam=family.id,
            iat=now,
            exp=now + lifetime,
        )
        return self._claims.issue(msgspec.to_builtins(claims))

    def read(self, text: str) -> AccessClaims:
        """Return what a token says, which is signed and not over. Raises `UnauthenticatedError`."""
        claims = self._claims.read(text, now=self._clock.now())
        try:
            return msgspec.convert(claims, AccessClaims)
        except msgspec.ValidationError as exc:
            raise UnauthenticatedError("The token is none for access.") from exc

    async def authenticate(self, text: str) -> Principal:
        """Return who calls, with no door open but the workspace's. Raises `UnauthenticatedError`."""
        claims = self.read(text)
        family = await self._families.get(claims.fam)
        if family is None or family.ended_at is not None or self._clock.now() >= family.ends_at:
            raise UnauthenticatedError(_ENDED)
        if (family.holder, family.workspace) != (claims.sub, claims.wid):
            raise UnauthenticatedError(_ENDED)
        return (await self._holders.principal(family.holder)).within(family.workspace)
