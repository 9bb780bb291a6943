"""How secret values are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from daftray.domain.project import SealedSecret


class Vault(Protocol):
    """Encryption at rest."""

    @property
    def key_ids(self) -> Sequence[str]:
        """The ids of the master keys that open, the one that seals first."""
        ...

    def seal(self, *, owner: str, name: str, value: str, at: datetime) -> SealedSecret:
        """Return a secret in the form in which it is kept."""
        ...

    def open(self, secret: SealedSecret) -> str:
        """Return a secret's value. Raises `SecretUnreadableError`."""
        ...


class SecretStore(Protocol):
    """Sealed secrets, by owner (a project's id or a run's id)."""

    async def put(self, secret: SealedSecret) -> None:
        """Keep a secret, in place of an older one of the same owner and name (whose creation time stays)."""
        ...

    async def list(self, owner: str) -> list[SealedSecret]:
        """Return an owner's secrets, by name."""
        ...

    async def delete(self, owner: str, name: str) -> None:
        """Remove a secret. Raises `SecretNotFoundError`."""
        ...

    async def counts(self) -> dict[str, int]:
        """Return how many secrets are sealed under each master key."""
        ...

    async def not_under(
        self, key_id: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[SealedSecret]:
        """Return secrets that are sealed under other keys than that, by owner and name after those given."""
        ...

    async def reseal(self, before: SealedSecret, after: SealedSecret) -> bool:
        """Put another ciphertext in a secret's place; say whether it was still as it is in ``before``."""
        ...


class MasterKeyStore(Protocol):
    """Which master keys a database knows: for each, a value that is sealed under it."""

    async def enter(self, record: SealedSecret, *, known: Collection[str]) -> list[SealedSecret]:
        """Return all records; keep this one, too, where all that are there are of known keys.

        Of two servers that enter different keys at once, one is first and the other finds its record.
        """
        ...

    async def list(self) -> list[SealedSecret]:
        """Return all records by key id."""
        ...

    async def remove(self, key_id: str) -> bool:
        """Forget a key; say whether it was there."""
        ...
