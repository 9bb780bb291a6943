"""What every `SecretStore` does."""

from __future__ import annotations

import pytest
from factories import a_secret, at
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import SecretNotFoundError


async def test_secrets_are_listed_by_name_for_their_owner(stores: Stores) -> None:
    secrets = [a_secret(name=name, ciphertext=bytes(range(256))) for name in ("b", "A", "a_")]
    for secret in (*secrets, a_secret(owner="prj_other"), a_secret(owner="prj_dem")):
        await stores.secrets.put(secret)
    assert await stores.secrets.list("prj_demo") == sorted(secrets, key=lambda one: one.name)
    assert await stores.secrets.list("prj_none") == []


async def test_a_new_value_keeps_the_first_creation_time(stores: Stores) -> None:
    first = a_secret()
    second = a_secret(key_id="master-2", ciphertext=b"new", created_at=at(5), updated_at=at(5))
    await stores.secrets.put(first)
    await stores.secrets.put(second)
    assert await stores.secrets.list("prj_demo") == [replace(second, created_at=first.created_at)]


async def test_a_deleted_secret_is_gone(stores: Stores) -> None:
    for name in ("A", "B"):
        await stores.secrets.put(a_secret(name=name))
    await stores.secrets.delete("prj_demo", "A")
    assert [one.name for one in await stores.secrets.list("prj_demo")] == ["B"]
    for owner, name in (("prj_demo", "A"), ("prj_other", "B"), ("prj_demo", "b")):
        with pytest.raises(SecretNotFoundError):
            await stores.secrets.delete(owner, name)
