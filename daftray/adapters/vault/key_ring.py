"""The master keys: the first one seals and signs, each of them opens and verifies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import overload

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_ID_LENGTH = 12


class MasterKey:
    """One master key. ``id`` names it in the database, in messages and in tokens; it tells nothing of it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._derived: dict[str, bytes] = {}

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"MasterKey({self.id})"

    @cached_property
    def id(self) -> str:
        """Its name: the beginning of a digest."""
        return hashlib.sha256(b"daftray key id\0" + self._secret).hexdigest()[:_ID_LENGTH]

    def derived(self, purpose: str) -> bytes:
        """Return the key for one purpose."""
        if purpose not in self._derived:
            self._derived[purpose] = derive(self._secret, purpose=purpose)
        return self._derived[purpose]


class KeyRing:
    """The master keys of a server, newest first.

    ``read`` returns them; it is asked at each use and has to be quick, so that a key that was added to a file
    is known at once. The same tuple again means that nothing has changed.
    """

    def __init__(self, read: Callable[[], tuple[bytes, ...]]) -> None:
        self._read = read
        self._secrets: tuple[bytes, ...] | None = None
        self._keys: tuple[MasterKey, ...] = ()

    @classmethod
    def of(cls, *secrets: bytes) -> KeyRing:
        """Return a ring of keys that stay as they are."""
        return cls(lambda: secrets)

    @property
    def all(self) -> tuple[MasterKey, ...]:
        """All keys, the one that seals and signs first."""
        secrets = self._read()
        if secrets is not self._secrets:
            if not secrets:
                raise ValueError("a ring of no keys opens nothing")
            known = {key.id: key for key in self._keys}
            fresh = [MasterKey(secret) for secret in dict.fromkeys(secrets)]
            self._keys, self._secrets = tuple(known.get(key.id, key) for key in fresh), secrets
        return self._keys

    @property
    def first(self) -> MasterKey:
        """The key that seals and signs."""
        return self.all[0]

    def get(self, key_id: str) -> MasterKey | None:
        """Return a key by its id."""
        return next((key for key in self.all if key.id == key_id), None)

    def keys(self, purpose: str) -> PurposeKeys:
        """Return the keys for one purpose, each with its id; they change with the ring."""
        return PurposeKeys(self, purpose)


class PurposeKeys(Sequence[tuple[str, bytes]]):
    """Id and 32 bytes of each key for one purpose: the first signs, all verify."""

    def __init__(self, ring: KeyRing, purpose: str) -> None:
        self._ring = ring
        self._purpose = purpose

    def __len__(self) -> int:
        return len(self._ring.all)

    @overload
    def __getitem__(self, index: int) -> tuple[str, bytes]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str, bytes]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, bytes] | Sequence[tuple[str, bytes]]:
        return self._pairs(self._ring.all)[index]

    def _pairs(self, keys: Iterable[MasterKey]) -> tuple[tuple[str, bytes], ...]:
        return tuple((key.id, key.derived(self._purpose)) for key in keys)


def derive(master_key: bytes, *, purpose: str) -> bytes:
    """Return a 32-byte key for one purpose; keys of different purposes tell nothing of each other."""
    return HKDF(
        algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=f"daftray/{purpose}".encode()
    ).derive(master_key)
