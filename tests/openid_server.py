"""A small OpenID provider on loopback: real HTTP, real keys, and whatever a test wants it to get wrong.

A browser that comes to it is signed in at once as ``person``, and sent back with a code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from fakes import FakeClock
from jwt.algorithms import RSAAlgorithm
from small_server import Answer, Asked, SmallServer, as_json, small_server

CLIENT_ID, CLIENT_SECRET = "daftray", "s3cret/with %+ signs"
ADA: dict[str, Any] = {"sub": "1001", "email": "ada@example.org", "email_verified": True}
USERINFO = "/userinfo"
METADATA, KEYS, TOKEN = "/.well-known/openid-configuration", "/keys", "/token"


@cache
def rsa_key(name: str) -> RSAPrivateKey:
    """Return the key of a name: the same one each time, since making one takes a while."""
    assert name
    return generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str, **fields: str) -> dict[str, Any]:
    public: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {**public, "kid": name, "use": "sig", **fields}


@dataclass
class OpenIdServer:
    """The provider. ``change`` is applied to the claims of each token, ``sign`` makes the token of them."""

    http: SmallServer
    clock: Any  # whatever tells the time
    person: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    key: str = "first"
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    thin: bool = False
    """Whether what is said of the person is at the UserInfo endpoint alone."""
    sign: Callable[[dict[str, Any]], str] | None = None
    waiting: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    @property
    def issuer(self) -> str:
        return self.http.url

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": self.issuer + TOKEN,
            "jwks_uri": self.issuer + KEYS,
            "userinfo_endpoint": self.issuer + USERINFO,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Sign the person in; return where the browser goes."""
        code = secrets.token_urlsafe(16)
        self.waiting[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: Asked) -> Answer:
        if not self._is_client(asked.headers.get("authorization", "")):
            return as_json({"error": "invalid_client"}, status=401)
        form = dict(parse_qsl(asked.body.decode()))
        begun = self.waiting.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            begun is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != begun["redirect_uri"]
            or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != begun["code_challenge"]
        ):
            return as_json({"error": "invalid_grant"}, status=400)
        claims = self.change(self.claims(begun["nonce"]))
        if self.thin:
            claims = {
                name: value for name, value in claims.items() if name not in {"email", "email_verified"}
            }
        token = self.sign(claims) if self.sign else self.signed(claims)
        return as_json({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def userinfo(self, asked: Asked) -> Answer:
        return as_json(self.person, status=200 if asked.headers.get("authorization") == "Bearer a" else 401)

    def claims(self, nonce: str) -> dict[str, Any]:
        now = int(self.clock.now().timestamp())
        times = {"iat": now, "exp": now + 300}
        return {"iss": self.issuer, "aud": CLIENT_ID, "nonce": nonce, **times, **self.person}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, rsa_key(self.key), algorithm="RS256", headers={"kid": self.key})

    def _is_client(self, authorization: str) -> bool:
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)


@contextmanager
def openid_server(clock: Any = None) -> Generator[OpenIdServer]:
    """Serve until the test is over. ``clock`` is the time of the server that signs people in by it."""
    with small_server() as http:
        provider = OpenIdServer(http, clock or FakeClock())
        http.on(f"GET {METADATA}", lambda _: as_json(provider.metadata))
        http.on(f"GET {KEYS}", lambda _: as_json({"keys": [jwk(provider.key)]}))
        http.on(f"POST {TOKEN}", provider.token)
        http.on(f"GET {USERINFO}", provider.userinfo)
        yield provider


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
