from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from sign_in import KEYS, SignIn

from daftray.adapters.signing.jws import JwtClaims
from daftray.domain.errors import UnauthenticatedError
from daftray.domain.principal import Grant, Role
from daftray.identity.access_tokens import LIFETIME

EVER = 2**33


async def signed_in(*, operator: bool = False) -> tuple[SignIn, str]:
    world = SignIn()
    ada = await world.ada(("wsp_a", Role.RUNNER), ("wsp_b", Role.ADMIN), operator=operator)
    return world, (await world.families.begin(ada.id, "wsp_a")).access_token


async def test_a_token_opens_its_workspace_alone() -> None:
    world, token = await signed_in()
    caller = await world.access.authenticate(token)
    assert (caller.name, caller.kind) == ("ada", "person")
    assert caller.grants == (Grant(workspace="wsp_a", role=Role.RUNNER),)


async def test_an_operators_token_is_an_admins_of_its_workspace() -> None:
    world, token = await signed_in(operator=True)
    caller = await world.access.authenticate(token)
    assert caller.grants == (Grant(workspace="wsp_a", role=Role.ADMIN),)
    assert not caller.operator


async def test_a_token_ends_after_a_quarter_of_an_hour() -> None:
    world, token = await signed_in()
    assert timedelta(minutes=5) < LIFETIME
    world.clock.move(LIFETIME.total_seconds() - 1)
    await world.access.authenticate(token)
    world.clock.move(1)
    with pytest.raises(UnauthenticatedError):
        await world.access.authenticate(token)


async def test_what_is_taken_from_somebody_is_taken_from_their_tokens() -> None:
    world, token = await signed_in()
    ada = await world.users.get("ada")
    await world.stores.memberships.remove(ada.id, "wsp_a")
    assert (await world.access.authenticate(token)).grants == ()
    await world.disable(ada)
    with pytest.raises(UnauthenticatedError):
        await world.access.authenticate(token)


async def test_a_token_of_an_ended_sign_in_is_worth_nothing() -> None:
    world, token = await signed_in()
    await world.families.end_family(world.access.read(token).fam)
    with pytest.raises(UnauthenticatedError):
        await world.access.authenticate(token)


async def test_a_key_that_expires_takes_its_token_along() -> None:
    world = SignIn()
    until = world.clock.now() + timedelta(minutes=3)
    key = await world.api_keys.create(name="ci", workspace="wsp_a", role=Role.VIEWER, expires_at=until)
    token = (await world.families.begin(key.split(".")[1], "wsp_a")).access_token
    assert (await world.access.authenticate(token)).kind == "key"
    world.clock.move(180)
    with pytest.raises(UnauthenticatedError):
        await world.access.authenticate(token)


def a_token(claims: dict[str, Any], key: tuple[str, bytes] = KEYS[0], algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key[1], algorithm, {"kid": key[0]})


def test_every_key_verifies_and_the_first_one_signs() -> None:
    now = SignIn().clock.now()
    claims = JwtClaims(KEYS)
    assert jwt.get_unverified_header(claims.issue({"exp": EVER}))["kid"] == "new"
    assert claims.read(a_token({"exp": EVER}, KEYS[1]), now=now) == {"exp": EVER}


@pytest.mark.parametrize(
    "text",
    [
        a_token({"exp": EVER}, ("gone", b"g" * 48)),
        a_token({"exp": EVER}, ("new", b"o" * 48)),
        a_token({"exp": EVER}, algorithm="HS384"),
        a_token({}),
        a_token({"exp": 1}),
        a_token({"exp": "never"}),
        "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.",
        jwt.encode({"exp": EVER}, "", "none", {"kid": "new"}),
        jwt.encode({"exp": EVER}, b"n" * 48, "HS256"),
        "",
        "a.b.c",
        "eyJ" * 3000,
    ],
)
def test_what_no_key_signed_as_we_do_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        JwtClaims(KEYS).read(text, now=SignIn().clock.now())


async def test_claims_for_another_purpose_are_none_for_access() -> None:
    world = SignIn()
    for claims in ({"exp": EVER}, {"exp": EVER, "sub": 1, "wid": "w", "fam": "f", "iat": 1}):
        with pytest.raises(UnauthenticatedError):
            await world.access.authenticate(world.claims.issue(claims))


async def test_a_token_names_its_familys_own_holder_and_place() -> None:
    world, token = await signed_in()
    claims = dict(world.claims.read(token, now=world.clock.now()))
    for change in ({"sub": "usr_other"}, {"wid": "wsp_b"}, {"fam": "fam_none"}):
        with pytest.raises(UnauthenticatedError):
            await world.access.authenticate(world.claims.issue({**claims, **change}))
