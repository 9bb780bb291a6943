"""Argon2id (RFC 9106) with its second recommended parameters: three passes over 64 MiB in four lanes."""

from __future__ import annotations

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from daftray.domain.errors import TooManyRequestsError

AT_ONCE = 2
"""Each takes 64 MiB and a core or more for a tenth of a second."""
LONGEST_QUEUE = 50
"""Callers that wait beyond these are told to come back: a queue of seconds helps nobody."""


class Argon2Passwords:
    """The `Passwords` of Argon2id. What each call means is said there."""

    def __init__(self, *, passes: int = 3, memory_kib: int = 64 * 1024, lanes: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash under a new salt. Raises `TooManyRequestsError`."""
        return await self._in_turn(password, None)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password has that hash; without one, no, at the same price."""
        if self._nobodys is None:  # whoever comes first, so that it tells nothing of them
            self._nobodys = await self.hash("nobody's")
        try:
            await self._in_turn(password, hashed or self._nobodys)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than these."""
        return self._hasher.check_needs_rehash(hashed)

    async def _in_turn(self, password: str, hashed: str | None) -> str:
        if self._waiting >= LONGEST_QUEUE:
            raise TooManyRequestsError("Too many people sign in at this moment: try again in a few seconds.")
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(self._work, password, hashed)
        finally:
            self._waiting -= 1

    def _work(self, password: str, hashed: str | None) -> str:
        # The same text is other bytes on another keyboard; NIST SP 800-63B asks for one form.
        text = unicodedata.normalize("NFKC", password)
        if hashed is None:
            return self._hasher.hash(text)
        self._hasher.verify(hashed, text)
        return hashed
