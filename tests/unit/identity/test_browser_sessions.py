from __future__ import annotations

import pytest
from sign_in import SignIn

from daftray.domain.errors import UnauthenticatedError
from daftray.identity.sessions import LONGEST, UNUSED_FOR


async def signed_in() -> tuple[SignIn, str]:
    world = SignIn()
    return world, await world.sessions.begin((await world.ada()).id)


async def refused(world: SignIn, cookie: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await world.sessions.authenticate(cookie)


async def test_a_cookie_tells_who_is_signed_in() -> None:
    world, cookie = await signed_in()
    found = await world.sessions.authenticate(cookie)
    assert found.principal.name == "ada"
    assert found.csrf_token == (await world.sessions.authenticate(cookie)).csrf_token
    assert found.csrf_token not in cookie


async def test_a_sign_in_makes_a_new_session_and_ends_the_one_before() -> None:
    """A cookie that somebody planted in the browser before is worth nothing after the sign-in."""
    world, planted = await signed_in()
    ada = await world.users.get("ada")
    cookie = await world.sessions.begin(ada.id, replacing=planted)
    assert cookie != planted
    await refused(world, planted)
    assert await world.sessions.authenticate(cookie)
    assert await world.sessions.begin(ada.id, replacing="ses_made.up-by-somebody-else")


async def test_each_session_has_its_own_token() -> None:
    world, cookie = await signed_in()
    other = await world.sessions.begin((await world.users.get("ada")).id)
    tokens = {(await world.sessions.authenticate(one)).csrf_token for one in (cookie, other)}
    assert len(tokens) == 2


async def test_a_session_ends_by_sign_out_by_disuse_and_by_age() -> None:
    world, cookie = await signed_in()
    await world.sessions.end(cookie)
    await refused(world, cookie)

    world, cookie = await signed_in()
    world.clock.move(UNUSED_FOR.total_seconds())
    await refused(world, cookie)

    world, cookie = await signed_in()
    for _ in range(LONGEST // (UNUSED_FOR / 2) - 1):
        world.clock.move(UNUSED_FOR.total_seconds() / 2)
        await world.sessions.authenticate(cookie)
    world.clock.move(UNUSED_FOR.total_seconds() / 2)
    await refused(world, cookie)


async def test_who_is_disabled_or_signed_out_everywhere_is_out() -> None:
    world, cookie = await signed_in()
    ada = await world.users.get("ada")
    await world.sessions.end_all(ada.id)
    await refused(world, cookie)
    cookie = await world.sessions.begin(ada.id)
    await world.disable(ada)
    await refused(world, cookie)


async def test_other_texts_are_nobody() -> None:
    world, cookie = await signed_in()
    session_id, secret = cookie.split(".")
    for text in ("", "x", session_id, f"{session_id}.{'x' * 43}", f"ses_0.{secret}", cookie + "x"):
        await refused(world, text)
    assert secret not in repr(await world.session_store.get(session_id))
