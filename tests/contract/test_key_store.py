"""What every `KeyStore` does."""

from __future__ import annotations

import pytest
from factories import a_key
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import ConflictError
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
