from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import FakeClock, InMemoryKeyStore

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.ids import Ids
from daftray.domain.principal import Grant, Role
from daftray.identity.keys import ApiKeys


def api_keys() -> tuple[ApiKeys, InMemoryKeyStore]:
    store = InMemoryKeyStore()
    return ApiKeys(store=store, ids=Ids(), clock=FakeClock()), store


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
