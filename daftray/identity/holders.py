"""Who holds a token: a person or an API key, and what they may do at this moment."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ports import Clock, KeyStore
from daftray.domain.principal import Principal
from daftray.identity.keys import holder_of


class People(Protocol):
    """What is asked about people here."""

    async def principal(self, holder: str, /) -> Principal:
        """Return what a person may do now. Raises `UnauthenticatedError` where they are gone or disabled."""
        ...


class Holders:
    """Finds who holds a token, each time anew: who is disabled or revoked is shut out at once."""

    def __init__(self, *, people: People, keys: KeyStore, clock: Clock) -> None:
        self._people = people
        self._keys = keys
        self._clock = clock

    async def principal(self, holder: str) -> Principal:
        """Return what that person or key may do now. Raises `UnauthenticatedError`."""
        if holder.startswith("usr_"):
            return await self._people.principal(holder)
        key = await self._keys.get(holder)
        if key is None or not key.opens_at(self._clock.now()):
            raise UnauthenticatedError("The API key that signed in was revoked or has expired.")
        return await holder_of(key, self._people.principal)
