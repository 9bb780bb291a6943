from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fakes import FakeClock, InMemoryKeyStore

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids
from daftray.domain.principal import Grant, Principal, Role
from daftray.identity.keys import ApiKeys


def api_keys(maker: Principal | None = None) -> tuple[ApiKeys, InMemoryKeyStore]:
    """Return the use cases; ``maker`` is what the person who made keys may do now."""
    store = InMemoryKeyStore()

    async def of_maker(_: str) -> Principal:
        if maker is None:
            raise UnauthenticatedError
        return maker

    return ApiKeys(store=store, ids=Ids(), clock=FakeClock(), maker=of_maker), store


async def test_a_key_opens_its_workspace_with_its_role() -> None:
    keys, _ = api_keys()
    text = await keys.create(name="ci", workspace="team", role=Role.RUNNER)
    principal = await keys.authenticate(text)
    assert principal.grants == (Grant(workspace="team", role=Role.RUNNER),)


async def test_the_key_itself_is_not_kept() -> None:
    keys, store = api_keys()
    text = await keys.create(name="ci", workspace="team", role=Role.RUNNER)
    kept = await store.get(text.split(".")[1])
    assert text.split(".")[2] not in repr(kept)


@pytest.mark.parametrize(
    "spoil", [lambda key: key[:-1], lambda key: key + "x", lambda key: key.replace("key_", "key_0")]
)
async def test_a_wrong_key_opens_nothing(spoil: Callable[[str], str]) -> None:
    keys, _ = api_keys()
    text = await keys.create(name="ci", workspace="team", role=Role.RUNNER)
    with pytest.raises(UnauthenticatedError):
        await keys.authenticate(spoil(text))


def ada(*grants: Grant, operator: bool = False) -> Principal:
    return Principal(id="usr_1", kind="person", name="ada", grants=grants, operator=operator)


async def test_a_key_does_no_more_than_the_person_who_made_it_may_do_now() -> None:
    keys, _ = api_keys(ada(Grant(workspace="team", role=Role.VIEWER)))
    text = await keys.create(name="ci", workspace="team", role=Role.ADMIN, created_by="usr_1")
    assert (await keys.authenticate(text)).grants == (Grant(workspace="team", role=Role.VIEWER),)


@pytest.mark.parametrize(
    "maker", [None, ada(), ada(Grant(workspace="team", project="prj_1", role=Role.ADMIN))]
)
async def test_a_key_opens_nothing_once_the_person_who_made_it_may_do_nothing_there(
    maker: Principal | None,
) -> None:
    keys, _ = api_keys(maker)
    text = await keys.create(name="ci", workspace="team", role=Role.VIEWER, created_by="usr_1")
    with pytest.raises(UnauthenticatedError):
        await keys.authenticate(text)


async def test_an_operators_key_ends_with_the_operator() -> None:
    for maker, good in ((ada(operator=True), True), (ada(Grant(workspace="team", role=Role.ADMIN)), False)):
        keys, _ = api_keys(maker)
        text = await keys.create(
            name="root", workspace="team", role=Role.ADMIN, operator=True, created_by="usr_1"
        )
        if good:
            assert (await keys.authenticate(text)).operator
        else:
            with pytest.raises(UnauthenticatedError):
                await keys.authenticate(text)


async def test_a_key_that_a_key_made_hangs_on_nobody() -> None:
    keys, _ = api_keys()
    text = await keys.create(name="ci", workspace="team", role=Role.RUNNER, created_by="key_1")
    assert (await keys.authenticate(text)).role_in("team") is Role.RUNNER


async def test_a_key_that_has_expired_or_was_revoked_opens_nothing() -> None:
    clock, store = FakeClock(), InMemoryKeyStore()
    keys = ApiKeys(store=store, ids=Ids(), clock=clock)
    soon = await keys.create(
        name="a", workspace="w", role=Role.VIEWER, expires_at=clock.now() + timedelta(seconds=60)
    )
    closed = await keys.create(name="b", workspace="w", role=Role.VIEWER)
    await keys.authenticate(soon)
    await keys.authenticate(closed)
    clock.move(60)
    await store.revoke(closed.split(".")[1], clock.now())
    for text in (soon, closed):
        with pytest.raises(UnauthenticatedError):
            await keys.authenticate(text)


async def test_a_key_tells_when_it_was_last_used_to_the_minute() -> None:
    clock, store = FakeClock(), InMemoryKeyStore()
    keys = ApiKeys(store=store, ids=Ids(), clock=clock)
    text = await keys.create(name="a", workspace="w", role=Role.VIEWER)
    used: list[object] = []
    for seconds in (0, 59, 2):
        clock.move(seconds)
        await keys.authenticate(text)
        kept = await store.get(text.split(".")[1])
        used.append(kept and kept.last_used_at)
    start = clock.now() - timedelta(seconds=61)
    assert used == [start, start, clock.now()]
