"""Refresh tokens: ``drf.<family>.<the family's secret>.<secret>``, each good for one use (RFC 9700, 4.14.2).

A token that comes a second time was stolen, or its holder's was: whichever of the two it is, the family ends.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock
from daftray.domain.ports.sessions import TokenFamilyStore
from daftray.domain.session import TokenFamily, Tokens
from daftray.identity.access_tokens import AccessTokens
from daftray.identity.digests import digest_of, is_that
from daftray.identity.holders import Holders

log = logging.getLogger(__name__)

PREFIX = "drf"
UNUSED_FOR = timedelta(days=30)
LONGEST = timedelta(days=180)
"""How long a sign-in lasts: without use, and at all."""
_SECRET = "[A-Za-z0-9_-]{20,100}"  # noqa: S105 (a form, no secret)
_FORM = re.compile(rf"{PREFIX}\.(fam_[a-z0-9]{{1,64}})\.({_SECRET})\.({_SECRET})")
_REFUSED = "The refresh token is not valid, or has expired: sign in again."
_REUSED = "The refresh token was used before, so its sign-in was ended: sign in again."


class TokenFamilies:
    """Signs programs in, keeps them signed in, and signs them out."""

    def __init__(
        self, *, store: TokenFamilyStore, access: AccessTokens, holders: Holders, ids: Ids, clock: Clock
    ) -> None:
        self._store = store
        self._access = access
        self._holders = holders
        self._ids = ids
        self._clock = clock

    async def begin(self, holder: str, workspace: str) -> Tokens:
        """Return the first tokens of a new family: a person's or a key's, for one workspace."""
        now = self._clock.now()
        shared, secret = self._ids.token(), self._ids.token()
        family = TokenFamily(
            id=self._ids.new("fam", now),
            holder=holder,
            workspace=workspace,
            digest=digest_of(shared),
            current=digest_of(secret),
            created_at=now,
            expires_at=now + UNUSED_FOR,
            ends_at=now + LONGEST,
        )
        await self._store.add(family)
        return self._tokens(family, shared, secret)

    async def refresh(self, text: str) -> Tokens:
        """Return new tokens for a refresh token, which is worth nothing from now on.

        Raises:
            UnauthenticatedError: it is none, it is over, it was used before, or its holder may not call.
        """
        family, shared, secret = await self._parsed(text)
        now, new = self._clock.now(), self._ids.token()
        rotated = await self._store.rotate(
            family.id, old=digest_of(secret), new=digest_of(new), at=now, expires_at=now + UNUSED_FOR
        )
        if rotated is None:
            raise UnauthenticatedError(await self._why(family.id, secret, now))
        await self._holders.principal(rotated.holder)
        return self._tokens(rotated, shared, new)

    async def end(self, text: str) -> None:
        """Sign out whoever holds a refresh token; one that is not valid does nothing."""
        try:
            family, _, _ = await self._parsed(text)
        except UnauthenticatedError:
            return
        await self.end_family(family.id)

    async def end_family(self, family_id: str) -> None:
        """Sign out one family."""
        await self._store.end(family_id, self._clock.now())

    async def end_all(self, holder: str) -> None:
        """Sign out everything that a person or a key has signed in."""
        await self._store.end_of(holder, self._clock.now())

    async def _why(self, family_id: str, secret: str, now: datetime) -> str:
        """Return why a token of a family was not taken; end the family where it was used before."""
        family = await self._store.get(family_id)
        if family is None or not family.lives_at(now) or is_that(secret, family.current):
            return _REFUSED
        await self._store.end(family_id, now)
        log.warning(
            "a refresh token came twice: its sign-in was ended",
            extra={"action": "refresh", "family": family_id, "holder": family.holder},
        )
        return _REUSED

    async def _parsed(self, text: str) -> tuple[TokenFamily, str, str]:
        """Return the family of a token, the family's secret and the token's own."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise UnauthenticatedError(_REFUSED)
        family_id, shared, secret = match.groups()
        family = await self._store.get(family_id)
        if family is None or not is_that(shared, family.digest):
            raise UnauthenticatedError(_REFUSED)
        return family, shared, secret

    def _tokens(self, family: TokenFamily, shared: str, secret: str) -> Tokens:
        return Tokens(
            workspace_id=family.workspace,
            access_token=self._access.issue(family),
            refresh_token=f"{PREFIX}.{family.id}.{shared}.{secret}",
        )
