"""What people and keys are called, for lists of what they did."""

from __future__ import annotations

from collections.abc import Iterable

from daftray.domain.errors import UserNotFoundError
from daftray.domain.ports import KeyStore, UserStore

_PERSON = "usr_"


class Names:
    """Finds names by id. Who is gone is called by their id."""

    def __init__(self, *, users: UserStore, keys: KeyStore) -> None:
        self._users = users
        self._keys = keys

    async def of(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the names of people and keys, each asked for once."""
        return {each: await self._name(each) for each in sorted(set(ids))}

    async def _name(self, holder: str) -> str:
        if holder.startswith(_PERSON):
            try:
                return (await self._users.get(holder)).name
            except UserNotFoundError:
                return holder
        key = await self._keys.get(holder)
        return key.name if key else holder
