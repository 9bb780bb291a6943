"""Sign-in by an OpenID provider (OpenID Connect Core 1.0): what goes there, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser takes to the provider.

    ``state`` ties the answer to this browser (RFC 6749, section 10.12), ``nonce`` the ID token to this
    sign-in, and ``challenge`` the code to whoever knows its verifier (RFC 7636, S256).
    """

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


class CodeGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A code that a browser brought back, and what it was asked for with."""

    code: str
    verifier: str
    nonce: str
    redirect_uri: str

    def __repr__(self) -> str:
        """Leave the code out: a repr ends up in logs."""
        return "CodeGrant()"


class OpenIdClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider vouches for: the ``subject``, which is one person's for ever, and all else it says."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]  # any JSON

    def __repr__(self) -> str:
        """Leave out what is said of the person."""
        return f"OpenIdClaims(issuer={self.issuer!r})"

    @property
    def person(self) -> str:
        """Who that is, wherever subjects of several issuers meet: `User.subject`."""
        return f"{self.issuer}|{self.subject}"


class OpenIdPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decided about who comes in.

    ``name_claim`` is the claim that holds a person's name here. Where ``domains`` are given, only people with
    a verified e-mail address in one of them come in. ``create_users`` lets in whom no admin added before:
    without any role anywhere.
    """

    name_claim: str = "email"
    domains: tuple[str, ...] = ()
    create_users: bool = False

    @property
    def claims(self) -> tuple[str, ...]:
        """What has to be known of a person."""
        address = ("email", "email_verified") if self.domains or self.name_claim == "email" else ()
        return tuple(dict.fromkeys((self.name_claim, *address)))
