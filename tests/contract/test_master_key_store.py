"""What every `MasterKeyStore` does, and every `SecretStore` when master keys change."""

from __future__ import annotations

import asyncio

from factories import a_secret
from msgspec.structs import replace
from stores import Stores

from daftray.domain.project import SealedSecret


def a_record(key_id: str) -> SealedSecret:
    return a_secret(owner="daftray", name=key_id, key_id=key_id, ciphertext=key_id.encode())


async def test_the_first_key_is_entered_and_an_unknown_one_keeps_others_out(stores: Stores) -> None:
    old, new, other = (a_record(key_id) for key_id in ("old", "new", "other"))
    assert await stores.master_keys.enter(old, known=["old"]) == [old]
    assert await stores.master_keys.enter(other, known=["other"]) == [old]
    assert await stores.master_keys.enter(new, known=["new", "old"]) == [new, old]
    assert await stores.master_keys.list() == [new, old]
    assert await stores.master_keys.remove("old")
    assert not await stores.master_keys.remove("old")
    assert await stores.master_keys.list() == [new]


async def test_a_record_that_is_there_stays(stores: Stores) -> None:
    first = a_record("a")
    await stores.master_keys.enter(first, known=["a"])
    assert await stores.master_keys.enter(replace(first, ciphertext=b"x"), known=["a"]) == [first]


async def test_of_different_keys_that_come_at_once_one_is_entered(stores: Stores) -> None:
    names = [f"key-{number}" for number in range(8)]
    found = await asyncio.gather(*(stores.master_keys.enter(a_record(name), known=[name]) for name in names))
    assert {tuple(one.key_id for one in records) for records in found} == {
        tuple(one.key_id for one in await stores.master_keys.list())
    }
    assert len(await stores.master_keys.list()) == 1


async def test_secrets_are_counted_and_found_by_what_sealed_them(stores: Stores) -> None:
    names = [("prj_a", "B", "old"), ("prj_a", "a", "older"), ("prj_b", "A", "old"), ("prj_b", "B", "new")]
    for owner, name, key_id in names:
        await stores.secrets.put(a_secret(owner=owner, name=name, key_id=key_id))
    assert await stores.secrets.counts() == {"old": 2, "older": 1, "new": 1}
    found = await stores.secrets.not_under("new", limit=9)
    assert [(one.owner, one.name) for one in found] == [("prj_a", "B"), ("prj_a", "a"), ("prj_b", "A")]
    assert await stores.secrets.not_under("new", limit=2) == found[:2]
    assert await stores.secrets.not_under("new", after=("prj_a", "a"), limit=2) == found[2:]
    assert await stores.secrets.not_under("new", after=("prj_b", "A"), limit=2) == []


async def test_a_secret_is_sealed_anew_only_as_it_was_read(stores: Stores) -> None:
    before = a_secret()
    after = replace(before, key_id="new", ciphertext=b"anew")
    await stores.secrets.put(before)
    assert not await stores.secrets.reseal(replace(before, ciphertext=b"stale"), after)
    assert await stores.secrets.list("prj_demo") == [before]
    assert await stores.secrets.reseal(before, after)
    assert await stores.secrets.list("prj_demo") == [after]
    assert not await stores.secrets.reseal(replace(before, name="GONE"), after)
