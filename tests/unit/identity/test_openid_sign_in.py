"""The flow over a provider in memory, at a time that a test moves."""

from __future__ import annotations

from typing import Any

import pytest
from fake_openid import FakeOpenIdProvider
from openid_server import ADA, query_of
from sign_in import SignIn

from daftray.adapters.signing.jws import JwtClaims
from daftray.adapters.throttle.windows import WindowThrottle
from daftray.domain.errors import IdentityProviderUnreachableError, UnauthenticatedError
from daftray.domain.openid import OpenIdPolicy
from daftray.identity.audit import AuditLog
from daftray.identity.openid_people import OpenIdPeople
from daftray.identity.openid_sign_in import LIFETIME, Begun, Entered, OpenIdSignIn, ProviderAnswer

BACK = "https://daftray.example/v1/auth/oidc/callback"


class World:
    def __init__(self) -> None:
        self.sign_in, self.provider = SignIn(), FakeOpenIdProvider(ADA)
        users, stores, clock = self.sign_in.users, self.sign_in.stores, self.sign_in.clock
        audit = AuditLog(store=stores.audit, users=stores.users, ids=self.sign_in.ids, clock=clock)
        policy = OpenIdPolicy(create_users=True)
        self.keys = [("k", b"k" * 48)]
        self.flow = OpenIdSignIn(
            provider=self.provider,
            people=OpenIdPeople(store=stores.users, users=users, audit=audit, policy=policy),
            sessions=self.sign_in.sessions,
            claims=JwtClaims(self.keys),
            throttle=WindowThrottle(clock),
            ids=self.sign_in.ids,
            clock=clock,
        )

    async def begin(self) -> tuple[Begun, dict[str, str]]:
        begun = await self.flow.begin("/x", redirect_uri=BACK, address="192.0.2.1")
        return begun, query_of(self.provider.authorize(query_of(begun.url)))

    async def finish(self, cookie: str | None, back: dict[str, Any], address: str = "192.0.2.1") -> Entered:
        answer = ProviderAnswer(state=back["state"], code=back["code"], error=None, issuer=None)
        return await self.flow.finish(
            answer, cookie=cookie, redirect_uri=BACK, address=address, replacing=None
        )


async def test_who_comes_back_in_time_is_signed_in() -> None:
    world = World()
    begun, back = await world.begin()
    world.sign_in.clock.move(LIFETIME.total_seconds() - 1)
    entered = await world.finish(begun.cookie, back)
    assert (entered.next, entered.session.principal.name) == ("/x", ADA["email"])
    assert (await world.sign_in.sessions.authenticate(entered.cookie)).session_id.startswith("ses_")
    assert entered.cookie not in repr(entered)


async def test_who_takes_too_long_begins_again() -> None:
    world = World()
    begun, back = await world.begin()
    world.sign_in.clock.move(LIFETIME.total_seconds())
    with pytest.raises(UnauthenticatedError, match="ten minutes"):
        await world.finish(begun.cookie, back)


async def test_an_answer_stays_used_for_as_long_as_its_cookie_could_be_good() -> None:
    world = World()
    begun, back = await world.begin()
    await world.finish(begun.cookie, back)
    for _ in range(9):
        world.sign_in.clock.move(66)
        fresh = query_of(world.provider.authorize(query_of(begun.url)))
        with pytest.raises(UnauthenticatedError, match="not to a sign-in"):
            await world.finish(begun.cookie, fresh, address="192.0.2.2")


async def test_a_cookie_under_a_key_that_is_gone_is_none() -> None:
    world = World()
    begun, back = await world.begin()
    world.keys[:] = [("n", b"n" * 48)]
    with pytest.raises(UnauthenticatedError):
        await world.finish(begun.cookie, back)


async def test_a_provider_that_goes_down_meanwhile_signs_nobody_in() -> None:
    world = World()
    begun, back = await world.begin()
    world.provider.down = True
    with pytest.raises(IdentityProviderUnreachableError):
        await world.finish(begun.cookie, back)
    assert await world.sign_in.stores.users.list(limit=9) == []
