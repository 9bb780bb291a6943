"""Sign-in in a browser: of a person with name and password, and with an API key that somebody pastes."""

from __future__ import annotations

import logging

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ports.throttle import Throttle
from daftray.domain.throttle import FAILED_LOGIN, LOGIN_BY_ADDRESS
from daftray.identity.digests import digest_of
from daftray.identity.keys import ApiKeys
from daftray.identity.sessions import BrowserSessions, SignedIn
from daftray.identity.users import Users

log = logging.getLogger(__name__)


class PasswordSignIn:
    """Lets people in who know their password, and nobody guess one."""

    def __init__(self, *, users: Users, sessions: BrowserSessions, throttle: Throttle) -> None:
        self._users = users
        self._sessions = sessions
        self._throttle = throttle

    async def sign_in(
        self, name: str, password: str, *, address: str, replacing: str | None
    ) -> tuple[str, SignedIn]:
        """Return the cookie of a new session, and who is signed in. The session of the old cookie ends.

        Raises:
            UnauthenticatedError: the name or the password is wrong; which one is not told.
            TooManyRequestsError: too many tries from that address, or wrong ones for that name.
        """
        account = digest_of(name.lower())
        self._throttle.hit(LOGIN_BY_ADDRESS, address)
        self._throttle.check(FAILED_LOGIN, account)
        try:
            user = await self._users.verify(name, password)
        except UnauthenticatedError:
            # Not the name that was typed: people type their password there.
            log.warning("a sign-in failed", extra={"action": "sign-in", "remote": address})
            self._throttle.hit(FAILED_LOGIN, account)
            raise
        cookie = await self._sessions.begin(user.id, replacing=replacing)
        return cookie, await self._sessions.authenticate(cookie)


class KeySignIn:
    """Lets in who has an API key: at the first start there is one, and nobody yet who has a password."""

    def __init__(self, *, keys: ApiKeys, sessions: BrowserSessions, throttle: Throttle) -> None:
        self._keys = keys
        self._sessions = sessions
        self._throttle = throttle

    async def sign_in(self, key: str, *, address: str, replacing: str | None) -> tuple[str, SignedIn]:
        """Return the cookie of a new session of the key's holder, which is good as long as the key is.

        Raises:
            UnauthenticatedError: the key is none, or not good any more.
            TooManyRequestsError: too many tries from that address.
        """
        self._throttle.hit(LOGIN_BY_ADDRESS, address)
        try:
            holder = await self._keys.authenticate(key)
        except UnauthenticatedError:
            log.warning("a sign-in failed", extra={"action": "sign-in", "remote": address})
            raise
        cookie = await self._sessions.begin(holder.id, replacing=replacing)
        return cookie, await self._sessions.authenticate(cookie)
