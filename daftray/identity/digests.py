"""What is kept of a random text: its SHA-256. 256 random bits need no slow hash."""

from __future__ import annotations

import hashlib
import hmac


def digest_of(text: str) -> str:
    """Return what is kept in its place."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_that(text: str, digest: str | None) -> bool:
    """Whether a text has that digest, in a time that does not tell how near it is; nothing has none."""
    return hmac.compare_digest(digest_of(text), digest or "")
