"""What every `OpenIdProvider` does."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import pytest
from fake_openid import FakeOpenIdProvider
from fakes import FakeClock
from msgspec.structs import replace
from openid_server import ADA, CLIENT_ID, CLIENT_SECRET, KEYS, METADATA, TOKEN, openid_server, query_of
from small_server import Answer

from daftray.adapters.openid.provider import HttpOpenIdProvider, OpenIdClient
from daftray.domain.errors import IdentityProviderUnreachableError, UnauthenticatedError
from daftray.domain.openid import AuthorizationRequest, CodeGrant
from daftray.domain.ports import OpenIdProvider
from daftray.identity.openid_sign_in import challenge_of

VERIFIER = "v" * 43
REQUEST = AuthorizationRequest(
    redirect_uri="https://daftray.example/v1/auth/oidc/callback",
    state="the state",
    nonce="the nonce",
    challenge=challenge_of(VERIFIER),
)


@dataclass
class World:
    """A provider, the browser's visit there (from what it brings to where it goes), and its end."""

    provider: OpenIdProvider
    authorize: Callable[[dict[str, str]], str]
    take_down: Callable[[], None]

    async def grant(self) -> CodeGrant:
        back = query_of(self.authorize(query_of(await self.provider.authorization_url(REQUEST))))
        return CodeGrant(
            code=back["code"], verifier=VERIFIER, nonce=REQUEST.nonce, redirect_uri=REQUEST.redirect_uri
        )


@pytest.fixture(params=["fake", "http"])
def world(request: pytest.FixtureRequest) -> Generator[World]:
    if request.param == "fake":
        fake = FakeOpenIdProvider(ADA)
        yield World(fake, fake.authorize, lambda: setattr(fake, "down", True))
        return
    with openid_server(FakeClock()) as server:
        client = OpenIdClient(issuer=server.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)

        def take_down() -> None:
            for route in (f"GET {METADATA}", f"GET {KEYS}", f"POST {TOKEN}"):
                server.http.on(route, Answer(status=503))

        yield World(HttpOpenIdProvider(client, clock=server.clock), server.authorize, take_down)


async def test_a_browser_is_sent_with_all_that_the_flow_needs(world: World) -> None:
    url = await world.provider.authorization_url(REQUEST)
    assert url.startswith(f"{world.provider.issuer}/authorize?")
    assert query_of(url) == {
        "response_type": "code",
        "client_id": "daftray",
        "scope": "openid email profile",
        "redirect_uri": REQUEST.redirect_uri,
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge": REQUEST.challenge,
        "code_challenge_method": "S256",
    }


async def test_a_code_is_good_for_what_the_provider_says_of_a_person(world: World) -> None:
    known = await world.provider.redeem(await world.grant())
    assert (known.issuer, known.subject) == (world.provider.issuer, "1001")
    assert known.person == f"{known.issuer}|1001"
    assert known.claims.items() >= ADA.items()
    assert "ada" not in repr(known)


async def test_a_code_is_good_once(world: World) -> None:
    grant = await world.grant()
    await world.provider.redeem(grant)
    with pytest.raises(UnauthenticatedError):
        await world.provider.redeem(grant)


@pytest.mark.parametrize(
    "change",
    [{"code": "x"}, {"verifier": "w" * 43}, {"nonce": "another"}, {"redirect_uri": "https://evil.example"}],
)
async def test_a_code_is_good_for_whoever_asked_for_it(world: World, change: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError):
        await world.provider.redeem(replace(await world.grant(), **change))


async def test_a_provider_that_is_down_is_told_from_one_that_refuses(world: World) -> None:
    grant = await world.grant()
    world.take_down()
    with pytest.raises(IdentityProviderUnreachableError):
        await world.provider.redeem(grant)
