"""What every `KeyStore` does."""

from __future__ import annotations

import pytest
from factories import a_key, at
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import ConflictError, KeyNotFoundError
from daftray.domain.principal import Role


@pytest.mark.parametrize("role", Role)
async def test_a_key_comes_back_as_it_was_added(stores: Stores, role: Role) -> None:
    key = a_key(role=role, name="für CI")
    await stores.keys.add(key)
    found = await stores.keys.get(key.id)
    assert found == key
    assert found
    assert found.role is role


async def test_an_unknown_key_is_none(stores: Stores) -> None:
    await stores.keys.add(a_key())
    assert await stores.keys.get("key_none") is None


async def test_an_id_is_one_keys(stores: Stores) -> None:
    key = a_key()
    await stores.keys.add(key)
    with pytest.raises(ConflictError):
        await stores.keys.add(replace(key, role=Role.VIEWER, digest="1" * 64))
    assert await stores.keys.get(key.id) == key


async def test_keys_are_listed_by_workspace_oldest_first(stores: Stores) -> None:
    for id_, workspace in (("key_2", "default"), ("key_1", "default"), ("key_3", "team")):
        await stores.keys.add(a_key(id=id_, workspace=workspace))
    assert [key.id for key in await stores.keys.list("default")] == ["key_1", "key_2"]
    assert await stores.keys.list("none") == []


async def test_a_key_is_revoked_once(stores: Stores) -> None:
    key = a_key(project="prj_1", operator=True, created_by="usr_1", expires_at=at(60))
    await stores.keys.add(key)
    await stores.keys.revoke(key.id, at(1))
    await stores.keys.revoke(key.id, at(2))
    assert await stores.keys.get(key.id) == replace(key, revoked_at=at(1))
    with pytest.raises(KeyNotFoundError):
        await stores.keys.revoke("key_none", at(1))


async def test_the_last_use_never_goes_back(stores: Stores) -> None:
    key = a_key()
    await stores.keys.add(key)
    for second in (2, 1):
        await stores.keys.used(key.id, at(second))
    await stores.keys.used("key_none", at(3))
    assert await stores.keys.get(key.id) == replace(key, last_used_at=at(2))
