from __future__ import annotations

import asyncio
import logging

import pytest
from sign_in import SignIn

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.principal import Role
from daftray.domain.session import Tokens
from daftray.identity.refresh import LONGEST, UNUSED_FOR


async def signed_in() -> tuple[SignIn, Tokens]:
    world = SignIn()
    ada = await world.ada(("wsp_a", Role.RUNNER))
    return world, await world.families.begin(ada.id, "wsp_a")


async def refused(world: SignIn, text: str) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        await world.families.refresh(text)
    return caught.value.detail


async def test_tokens_follow_one_another() -> None:
    world, tokens = await signed_in()
    seen = {tokens.refresh_token}
    for _ in range(3):
        tokens = await world.families.refresh(tokens.refresh_token)
        assert tokens.refresh_token not in seen
        seen.add(tokens.refresh_token)
        assert (await world.access.authenticate(tokens.access_token)).name == "ada"


async def test_a_reused_token_ends_the_family_and_is_told_in_the_log_without_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, first = await signed_in()
    second = await world.families.refresh(first.refresh_token)
    with caplog.at_level(logging.WARNING):
        assert "used before" in await refused(world, first.refresh_token)
    assert "came twice" in caplog.text
    assert first.refresh_token.split(".")[3] not in caplog.text
    await refused(world, second.refresh_token)
    with pytest.raises(UnauthenticatedError):
        await world.access.authenticate(second.access_token)


async def test_of_two_at_once_one_wins_and_the_family_ends() -> None:
    world, tokens = await signed_in()
    asked = (world.families.refresh(tokens.refresh_token) for _ in range(2))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == ["Tokens", "UnauthenticatedError"]
    (won,) = (one for one in answers if isinstance(one, Tokens))
    await refused(world, won.refresh_token)


async def test_who_knows_but_the_familys_name_cannot_end_it() -> None:
    world, tokens = await signed_in()
    prefix, family, shared, secret = tokens.refresh_token.split(".")
    for text in (
        f"{prefix}.{family}.{'x' * 43}.{secret}",
        f"{prefix}.{family}.{'x' * 43}.{'y' * 43}",
        f"{prefix}.fam_0.{shared}.{secret}",
        f"{prefix}.{family}",
        "",
    ):
        await refused(world, text)
    assert await world.families.refresh(tokens.refresh_token)


async def test_a_token_that_is_not_used_for_long_is_over() -> None:
    world, tokens = await signed_in()
    world.clock.move(UNUSED_FOR.total_seconds() - 1)
    tokens = await world.families.refresh(tokens.refresh_token)
    world.clock.move(UNUSED_FOR.total_seconds())
    await refused(world, tokens.refresh_token)


async def test_a_family_does_not_last_for_ever() -> None:
    world, tokens = await signed_in()
    last: Tokens | None = None
    for _ in range(LONGEST // UNUSED_FOR + 1):
        world.clock.move(UNUSED_FOR.total_seconds() - 60)
        last, tokens = tokens, await refreshed(world, tokens)
        if tokens is last:
            break
    assert tokens is last


async def refreshed(world: SignIn, tokens: Tokens) -> Tokens:
    try:
        return await world.families.refresh(tokens.refresh_token)
    except UnauthenticatedError:
        return tokens


async def test_who_is_disabled_gets_no_new_tokens() -> None:
    world, tokens = await signed_in()
    await world.disable(await world.users.get("ada"))
    await refused(world, tokens.refresh_token)


async def test_all_of_a_person_ends_at_once() -> None:
    world, tokens = await signed_in()
    ada = await world.users.get("ada")
    other = await world.families.begin(ada.id, "wsp_b")
    await world.families.end_all(ada.id)
    for one in (tokens, other):
        await refused(world, one.refresh_token)


async def test_neither_tokens_nor_what_is_kept_tell_a_secret() -> None:
    world, tokens = await signed_in()
    _, family_id, shared, secret = tokens.refresh_token.split(".")
    kept = repr(await world.family_store.get(family_id))
    assert shared not in kept
    assert secret not in kept
    assert secret not in repr(tokens)
