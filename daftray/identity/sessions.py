"""Sessions of browsers: a cookie ``<id>.<secret>``, of which the server keeps the digest.

The token against forged requests (CSRF) is made of the cookie's secret: whoever has it could read the cookie,
which no other site and no script can.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import timedelta

import msgspec

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock
from daftray.domain.ports.sessions import SessionStore
from daftray.domain.principal import Principal
from daftray.domain.session import BrowserSession
from daftray.identity.digests import digest_of, is_that
from daftray.identity.holders import People

LONGEST = timedelta(days=7)
UNUSED_FOR = timedelta(hours=12)
"""How long a session lasts: at all, and without a request."""
_SEEN_EVERY = timedelta(minutes=1)
"""So exactly a session tells when it was last used: no write for each request."""
_FORM = re.compile(r"(ses_[a-z0-9]{1,64})\.([A-Za-z0-9_-]{20,100})")
_REFUSED = "You are not signed in, or not any more."


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in in a browser, and the token that the browser's changes must bring."""

    session_id: str
    principal: Principal
    csrf_token: str

    def __repr__(self) -> str:
        """Leave the token out: a repr ends up in logs."""
        return f"SignedIn(session_id={self.session_id!r}, principal={self.principal.id!r})"


class BrowserSessions:
    """The use cases of sessions. ``people`` tells what a holder may do now: a person, or an API key too."""

    def __init__(self, *, store: SessionStore, people: People, ids: Ids, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._ids = ids
        self._clock = clock

    async def begin(self, holder: str, *, replacing: str | None = None) -> str:
        """Return the cookie of a new session; the one of the cookie that it replaces ends.

        A sign-in always makes a new session: a cookie that was planted before is worth nothing after it.
        """
        if replacing:
            await self.end(replacing)
        now = self._clock.now()
        session_id, secret = self._ids.new("ses", now), self._ids.token()
        session = BrowserSession(
            id=session_id,
            holder=holder,
            digest=digest_of(secret),
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
        await self._store.add(session)
        return f"{session_id}.{secret}"

    async def authenticate(self, cookie: str) -> SignedIn:
        """Return who is signed in. Raises `UnauthenticatedError`."""
        session, secret = await self._parsed(cookie)
        now = self._clock.now()
        if now >= session.expires_at or now - session.seen_at >= UNUSED_FOR:
            await self._store.delete(session.id)
            raise UnauthenticatedError(_REFUSED)
        principal = await self._people.principal(session.holder)
        if now - session.seen_at > _SEEN_EVERY:
            await self._store.seen(session.id, now)
        return SignedIn(session_id=session.id, principal=principal, csrf_token=csrf_token(secret))

    async def end(self, cookie: str) -> None:
        """Sign a browser out; a cookie that is not valid does nothing."""
        try:
            session, _ = await self._parsed(cookie)
        except UnauthenticatedError:
            return
        await self._store.delete(session.id)

    async def end_all(self, holder: str) -> None:
        """Sign a person, or a key, out of every browser."""
        await self._store.delete_of(holder)

    async def _parsed(self, cookie: str) -> tuple[BrowserSession, str]:
        match = _FORM.fullmatch(cookie)
        if match is None:
            raise UnauthenticatedError(_REFUSED)
        session_id, secret = match.groups()
        session = await self._store.get(session_id)
        if session is None or not is_that(secret, session.digest):
            raise UnauthenticatedError(_REFUSED)
        return session, secret


def csrf_token(secret: str) -> str:
    """Return the token that belongs to a session of that secret; it tells nothing of the secret."""
    return hmac.new(secret.encode(), b"daftray csrf", hashlib.sha256).hexdigest()
