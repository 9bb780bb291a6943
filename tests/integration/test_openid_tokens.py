"""What a provider can get wrong, or an attacker make of it: real HTTP and real keys."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Generator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fakes import FakeClock
from openid_server import (
    ADA,
    CLIENT_ID,
    CLIENT_SECRET,
    KEYS,
    METADATA,
    TOKEN,
    USERINFO,
    OpenIdServer,
    jwk,
    openid_server,
    query_of,
    rsa_key,
)
from small_server import Answer, as_json

from daftray.adapters.openid.provider import FRESH_FOR, HttpOpenIdProvider, OpenIdClient
from daftray.adapters.openid.rest import LARGEST_ANSWER
from daftray.domain.errors import (
    IdentityProviderError,
    IdentityProviderUnreachableError,
    UnauthenticatedError,
)
from daftray.domain.openid import AuthorizationRequest, CodeGrant, OpenIdClaims
from daftray.identity.openid_sign_in import challenge_of

VERIFIER, NONCE, BACK = "v" * 43, "the nonce", "http://control/v1/auth/oidc/callback"
Claims = dict[str, Any]


@pytest.fixture
def server() -> Generator[OpenIdServer]:
    with openid_server(FakeClock()) as made:
        yield made


def provider_of(
    server: OpenIdServer, secret: str | None = CLIENT_SECRET, claims: tuple[str, ...] = ()
) -> HttpOpenIdProvider:
    client = OpenIdClient(issuer=server.issuer, client_id=CLIENT_ID, client_secret=secret, claims=claims)
    return HttpOpenIdProvider(client, clock=server.clock)


async def redeemed(server: OpenIdServer, provider: HttpOpenIdProvider | None = None) -> OpenIdClaims:
    provider = provider or provider_of(server)
    challenge = challenge_of(VERIFIER)
    asked = AuthorizationRequest(redirect_uri=BACK, state="s", nonce=NONCE, challenge=challenge)
    code = query_of(server.authorize(query_of(await provider.authorization_url(asked))))["code"]
    grant = CodeGrant(code=code, verifier=VERIFIER, nonce=NONCE, redirect_uri=BACK)
    return await provider.redeem(grant)


def without(*names: str) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in claims.items() if name not in names}


def having(**changed: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **changed}


def later(**shifts: int) -> Callable[[Claims], Claims]:
    """Move times by seconds, all reckoned from when the token was made."""
    return lambda claims: {**claims, **{name: claims["iat"] + shift for name, shift in shifts.items()}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (having(nonce="another"), "another sign-in"),
        (without("nonce"), "another sign-in"),
        (having(aud="another"), "another client"),
        (having(aud=["another"]), "another client"),
        (having(aud=[CLIENT_ID, "another"]), "another client"),
        (having(aud=[CLIENT_ID, "another"], azp="another"), "another client"),
        (having(azp="another"), "another client"),
        (having(aud="another", azp=CLIENT_ID), "another client"),
        (having(aud={CLIENT_ID: 1}), "another client"),
        (having(iss="https://evil.example"), "another issuer"),
        (later(exp=-61), "expired"),
        (later(iat=61), "not valid yet"),
        (later(nbf=61), "not valid yet"),
        (having(exp="tomorrow"), "not valid"),
        (having(exp=True), "not valid"),
        (having(sub=""), "names nobody"),
        (having(sub=5), "names nobody"),
        (without("sub"), "not valid"),
        (without("exp"), "not valid"),
        (without("iat"), "not valid"),
        (without("aud"), "not valid"),
    ],
)
async def test_a_token_for_something_else_is_refused(
    server: OpenIdServer, change: Callable[[Claims], Claims], why: str
) -> None:
    server.change = change
    with pytest.raises(UnauthenticatedError, match=why):
        await redeemed(server)


@pytest.mark.parametrize(
    "change",
    [
        having(aud=[CLIENT_ID]),
        having(aud=[CLIENT_ID, "another"], azp=CLIENT_ID),
        later(exp=-59, iat=-600),
        later(iat=59, exp=300),
    ],
)
async def test_a_token_with_several_readers_or_from_a_clock_that_is_a_little_off_is_taken(
    server: OpenIdServer, change: Callable[[Claims], Claims]
) -> None:
    server.change = change
    assert (await redeemed(server)).subject == "1001"


def coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned(claims: Claims) -> str:
    head = json.dumps({"alg": "none", "kid": "first"}).encode()
    return f"{coded(head)}.{coded(json.dumps(claims).encode())}."


def under_the_public_key(claims: Claims) -> str:
    """Return a token whose HMAC is under what everybody can read. PyJWT itself refuses to make one."""
    public = rsa_key("first").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = ({"alg": "HS256", "kid": "first"}, claims)
    text = ".".join(coded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{coded(hmac.digest(pem, text.encode(), 'sha256'))}"


def by_somebody_else(claims: Claims) -> str:
    return jwt.encode(claims, rsa_key("theirs"), algorithm="RS256", headers={"kid": "first"})


def with_a_key_of_its_own(claims: Claims) -> str:
    """Return a token that brings the key that it is to be checked by (RFC 7515, ``jwk`` and ``jku``)."""
    headers = {"kid": "theirs", "jwk": jwk("theirs"), "jku": "https://evil.example/keys"}
    return jwt.encode(claims, rsa_key("theirs"), algorithm="RS256", headers=headers)


def changed_after(claims: Claims) -> str:
    head, _, signature = jwt.encode(claims, rsa_key("first"), "RS256", {"kid": "first"}).split(".")
    body = json.dumps({**claims, "sub": "1"}).encode()
    return f"{head}.{coded(body)}.{signature}"


@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        under_the_public_key,
        by_somebody_else,
        with_a_key_of_its_own,
        changed_after,
        lambda _: "no.token.x",
        lambda _: "",
        lambda _: "a" * 70_000,
    ],
)
async def test_a_token_that_the_provider_did_not_sign_is_refused(
    server: OpenIdServer, sign: Callable[[Claims], str]
) -> None:
    server.sign = sign
    with pytest.raises(UnauthenticatedError):
        await redeemed(server)


async def test_a_secret_among_the_keys_signs_nothing(server: OpenIdServer) -> None:
    """Even where the provider itself publishes one: whoever reads it could sign."""
    secret = b"k" * 32
    published = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(secret).decode()}
    server.http.on(f"GET {KEYS}", as_json({"keys": [jwk("first"), published]}))
    server.sign = lambda claims: jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "shared"})
    with pytest.raises(UnauthenticatedError):
        await redeemed(server)


@pytest.mark.parametrize("key", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}, {"n": "?"}, {"kty": [1]}])
async def test_a_key_for_something_else_verifies_nothing(server: OpenIdServer, key: dict[str, str]) -> None:
    server.http.on(f"GET {KEYS}", as_json({"keys": [jwk("first", **key)]}))
    with pytest.raises(UnauthenticatedError):
        await redeemed(server)


async def test_without_an_id_there_must_be_one_key(server: OpenIdServer) -> None:
    server.sign = lambda claims: jwt.encode(claims, rsa_key("first"), algorithm="RS256")
    assert (await redeemed(server)).subject == "1001"
    server.http.on(f"GET {KEYS}", as_json({"keys": [jwk("first"), jwk("second")]}))
    with pytest.raises(UnauthenticatedError):
        await redeemed(server)


async def test_a_provider_may_change_its_key_at_any_time(server: OpenIdServer) -> None:
    provider = provider_of(server)
    await redeemed(server, provider)
    await redeemed(server, provider)
    assert len(server.http.requests(f"GET {KEYS}")) == len(server.http.requests(f"GET {METADATA}")) == 1
    server.key = "second"
    await redeemed(server, provider)
    assert len(server.http.requests(f"GET {KEYS}")) == 2
    server.clock.move(FRESH_FOR.total_seconds())
    await redeemed(server, provider)
    assert len(server.http.requests(f"GET {KEYS}")) == 3


WANTED = ("email", "email_verified")


async def test_what_the_id_token_lacks_is_asked_for_beside_it(server: OpenIdServer) -> None:
    assert (await redeemed(server, provider_of(server, claims=WANTED))).claims["email"] == ADA["email"]
    assert server.http.requests(f"GET {USERINFO}") == []
    server.thin = True
    known = await redeemed(server, provider_of(server, claims=WANTED))
    assert known.claims.items() >= ADA.items()
    assert "email" not in (await redeemed(server)).claims, "nobody wants it"
    assert len(server.http.requests(f"GET {USERINFO}")) == 1


async def test_what_the_id_token_says_is_not_changed_beside_it(server: OpenIdServer) -> None:
    server.http.on(f"GET {USERINFO}", as_json({**ADA, "iss": "x", "nonce": "x"}))
    server.thin = True
    claims = (await redeemed(server, provider_of(server, claims=WANTED))).claims
    assert (claims["iss"], claims["nonce"]) == (server.issuer, NONCE)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (as_json({**ADA, "sub": "1002"}), UnauthenticatedError),
        (as_json({"email": ADA["email"], "email_verified": True}), UnauthenticatedError),
        (as_json([]), IdentityProviderError),
        (Answer(status=401), IdentityProviderError),
        (Answer(status=500), IdentityProviderUnreachableError),
    ],
)
async def test_another_persons_claims_are_refused(
    server: OpenIdServer, answer: Answer, error: type[Exception]
) -> None:
    server.http.on(f"GET {USERINFO}", answer)
    server.thin = True
    with pytest.raises(error):
        await redeemed(server, provider_of(server, claims=WANTED))


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": "SLASH"},
        {"token_endpoint": "ftp://id.example/token"},
        {"jwks_uri": "https://"},
        {"jwks_uri": "http://[::1"},
        {"authorization_endpoint": None},
        {"userinfo_endpoint": "ftp://id.example"},
    ],
)
async def test_a_provider_that_says_something_else_of_itself_is_not_used(
    server: OpenIdServer, said: dict[str, Any]
) -> None:
    said = {name: f"{server.issuer}/" if value == "SLASH" else value for name, value in said.items()}
    server.http.on(f"GET {METADATA}", as_json({**server.metadata, **said}))
    with pytest.raises(IdentityProviderError) as caught:
        await redeemed(server)
    assert caught.value.code == "identity-provider-refused"


@pytest.mark.parametrize("route", [f"GET {METADATA}", f"GET {KEYS}", f"POST {TOKEN}"])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=500), "unreachable"),
        (Answer(status=429), "unreachable"),
        (Answer(b"{", streamed=True, broken=True), "unreachable"),
        (Answer(b"no json"), "refused"),
        (Answer(b"[" * 100_000), "refused"),
        (Answer(b" " * (LARGEST_ANSWER + 1)), "refused"),
        (Answer(status=302, headers={"Location": "https://evil.example"}), "refused"),
        (Answer(status=404), "refused"),
    ],
)
async def test_trouble_of_the_provider_has_a_code(
    server: OpenIdServer, route: str, answer: Answer, code: str
) -> None:
    server.http.on(route, answer)
    with pytest.raises(IdentityProviderError) as caught:
        await redeemed(server)
    assert caught.value.code == f"identity-provider-{code}"


async def test_a_provider_that_is_not_there_is_unreachable(server: OpenIdServer) -> None:
    client = OpenIdClient(issuer="http://127.0.0.1:1", client_id=CLIENT_ID)
    with pytest.raises(IdentityProviderUnreachableError, match="cannot be reached"):
        await redeemed(server, HttpOpenIdProvider(client, clock=server.clock))


async def test_a_client_that_the_provider_does_not_know_is_the_operators_to_mend(
    server: OpenIdServer,
) -> None:
    with pytest.raises(IdentityProviderError, match=r"invalid_client.*DAFTRAY_OIDC_CLIENT_SECRET") as caught:
        await redeemed(server, provider_of(server, "wrong-secret"))
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize("secret", [CLIENT_SECRET, None])
async def test_credentials_go_the_way_that_the_provider_takes(
    server: OpenIdServer, secret: str | None
) -> None:
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    server.http.on(f"GET {METADATA}", as_json({**server.metadata, **methods}))
    server.http.on(f"POST {TOKEN}", as_json({"error": "invalid_grant"}, status=400))
    with pytest.raises(UnauthenticatedError, match="refuses the code"):
        await redeemed(server, provider_of(server, secret))
    (asked,) = server.http.requests(f"POST {TOKEN}")
    assert "authorization" not in asked.headers
    sent = query_of("?" + asked.body.decode())
    assert (sent["client_id"], sent.get("client_secret")) == (CLIENT_ID, secret)


def test_neither_a_clients_secret_nor_a_code_is_shown() -> None:
    client = OpenIdClient(issuer="i", client_id="c", client_secret="hush")
    grant = CodeGrant(code="hush", verifier="hush", nonce="hush", redirect_uri="r")
    assert "hush" not in f"{client!r}{grant!r}"
