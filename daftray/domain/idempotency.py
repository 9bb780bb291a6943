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
