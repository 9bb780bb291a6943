"""ID tokens: checked as OpenID Connect Core 1.0 says in section 3.1.3.7."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jwt
import msgspec

from daftray.domain.errors import UnauthenticatedError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""All by a pair of keys. Neither ``none`` nor any under a secret: whoever knew that could sign as well."""
_KIND_OF = {"R": "RSA", "P": "RSA", "E": "EC", "EdDSA": "OKP"}
_LEEWAY_S = 60
"""How far the provider's clock may be from ours."""
_LONGEST = 64 * 1024
_LONGEST_SUBJECT = 255
_CLAIMS_ARE_OURS: dict[str, Any] = {
    # PyJWT would go by this machine's own clock; ours is the database's, which replicas share.
    **{f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")},
    "require": ["iss", "sub", "aud", "exp", "iat"],
}


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What the token of a sign-in has to say."""

    issuer: str
    client_id: str
    nonce: str


class KeyMissingError(Exception):
    """The set has no key of the token's; a provider that has changed its keys has a newer one."""


def verified(
    token: str, keys: Sequence[Mapping[str, Any]], expected: Expected, *, now: datetime
) -> Mapping[str, Any]:  # any JSON
    """Return a token's claims.

    Raises:
        UnauthenticatedError: it is not the provider's, or not for this sign-in.
        KeyMissingError: none of the keys is the one that signed.
    """
    if len(token) > _LONGEST:
        raise _refused("it is too long")
    try:
        header = jwt.get_unverified_header(token)
        key = _key_of(header, keys)
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            options=_CLAIMS_ARE_OURS,  # pyright: ignore[reportArgumentType] (a TypedDict of its own)
        )
    except jwt.PyJWTError as exc:
        raise _refused("its signature is not the provider's") from exc
    _check(claims, expected, now.timestamp())
    return claims


def _key_of(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> jwt.PyJWK:
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise _refused("it is signed in a way that is not taken")
    kind = _KIND_OF.get(algorithm) or _KIND_OF[algorithm[0]]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind and key.get("use", "sig") == "sig"
        if key.get("alg", algorithm) == algorithm and (key_id is None or key.get("kid") == key_id)
    ]
    if len(fitting) != 1:  # without an id it has to be the only one
        raise KeyMissingError
    return jwt.PyJWK(dict(fitting[0]), algorithm)


def _check(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    if claims["iss"] != expected.issuer:
        raise _refused("it is of another issuer")
    audience: object = claims["aud"]
    for_whom = [audience] if isinstance(audience, str) else audience
    if not isinstance(for_whom, list) or expected.client_id not in for_whom:
        raise _refused("it is for another client")
    authorized = claims.get("azp", expected.client_id if for_whom == [expected.client_id] else None)
    if authorized != expected.client_id:
        raise _refused("it is for another client")
    if now >= _time(claims["exp"]) + _LEEWAY_S:
        raise _refused("it has expired")
    if any(now < _time(claims[name]) - _LEEWAY_S for name in ("iat", "nbf") if name in claims):
        raise _refused("it is not valid yet: does a clock run wrong?")
    nonce: object = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _refused("it belongs to another sign-in")
    subject: object = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise _refused("it names nobody")


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("a time in it is none")
    return value


def _refused(why: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"The OpenID provider's ID token is not valid: {why}. Sign in again.")
