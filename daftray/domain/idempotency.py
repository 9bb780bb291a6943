"""Idempotency keys: a create call that is sent again makes nothing new.

The header is the one of the IETF draft "The Idempotency-Key HTTP Header Field"
(draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import msgspec


class IdempotencyKey(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's key within a project, and a digest of what was asked under it."""

    project: str
    key: str
    digest: str
    older: tuple[str, ...] = ()
    """What the digest would be under the server's older master keys."""

    def fits(self, digest: str) -> bool:
        """Say whether a digest that was kept is of the same request."""
        return digest == self.digest or digest in self.older
