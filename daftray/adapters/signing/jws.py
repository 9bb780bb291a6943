"""JSON Web Tokens under HMAC-SHA-256 (RFC 7519, RFC 7515): our own, made and read by us alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jwt

from daftray.domain.errors import UnauthenticatedError

_ALGORITHM = "HS256"
_LONGEST = 4096
_REFUSED = "The token is not valid, or has expired: sign in again."


class JwtClaims:
    """The `SignedClaims` of PyJWT.

    Args:
        keys: each with its id (``kid``); the first one signs, all of them verify. 32 bytes each, for this
            purpose alone. The sequence is read at each use: keys may come and go.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._keys = keys

    def issue(self, claims: Mapping[str, Any]) -> str:  # any JSON
        """Return the claims, signed under the first key."""
        key_id, key = self._keys[0]
        return jwt.encode(dict(claims), key, algorithm=_ALGORITHM, headers={"kid": key_id})

    def read(self, text: str, *, now: datetime) -> Mapping[str, Any]:
        """Return a token's claims. Raises `UnauthenticatedError`."""
        if len(text) > _LONGEST:
            raise UnauthenticatedError(_REFUSED)
        try:
            key = dict(self._keys)[jwt.get_unverified_header(text)["kid"]]
            # PyJWT would go by this machine's own clock; ours is the database's, which replicas share.
            options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp"]}
            claims = jwt.decode(text, key, algorithms=[_ALGORITHM], options=options)  # pyright: ignore[reportArgumentType] (a TypedDict of its own)
        except (jwt.PyJWTError, KeyError, TypeError) as exc:
            raise UnauthenticatedError(_REFUSED) from exc
        ends = claims["exp"]
        if not isinstance(ends, int) or now.timestamp() >= ends:
            raise UnauthenticatedError(_REFUSED)
        return claims
