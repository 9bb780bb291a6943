"""Master keys come and go; what they sealed is never out of reach on the way."""

from __future__ import annotations

import pytest
from fakes import FakeClock, InMemoryStores
from msgspec.structs import replace

from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.project import SealedSecret
from daftray.projects import master_keys
from daftray.projects.master_keys import MasterKeyMismatchError, MasterKeys
from daftray.projects.secrets import ProjectSecrets

OLD, NEW, OTHER = b"old", b"new", b"other"


class Kept:
    """A database, and servers on it with keys of their own."""

    def __init__(self) -> None:
        self.stores, self.clock = InMemoryStores(), FakeClock()

    def keys(self, *ring: bytes) -> MasterKeys:
        return MasterKeys(
            records=self.stores.master_keys,
            secrets=self.stores.secrets,
            vault=AesGcmVault(KeyRing.of(*ring)),
            clock=self.clock,
        )

    def secrets(self, *ring: bytes) -> ProjectSecrets:
        return ProjectSecrets(
            store=self.stores.secrets, vault=AesGcmVault(KeyRing.of(*ring)), clock=self.clock
        )


def id_of(key: bytes) -> str:
    return KeyRing.of(key).first.id


async def test_the_first_server_decides_and_another_key_is_refused_and_named() -> None:
    kept = Kept()
    await kept.keys(OLD).check()
    await kept.keys(OLD).check()
    with pytest.raises(MasterKeyMismatchError, match=f"{id_of(OLD)}.*it has {id_of(OTHER)}"):
        await kept.keys(OTHER).check()
    assert [record.key_id for record in await kept.stores.master_keys.list()] == [id_of(OLD)]


async def test_a_new_key_beside_the_old_one_is_taken_and_from_then_on_asked_for() -> None:
    kept = Kept()
    await kept.keys(OLD).check()
    await kept.keys(OLD, NEW).check()
    await kept.keys(OLD).check()
    await kept.keys(NEW, OLD).check()
    with pytest.raises(MasterKeyMismatchError, match=id_of(NEW)):
        await kept.keys(OLD).check()


async def test_a_database_from_before_there_were_records_is_held_to_its_secrets() -> None:
    kept = Kept()
    await kept.secrets(OLD).set("prj_1", "TOKEN", "value-of-it")
    with pytest.raises(MasterKeyMismatchError, match=id_of(OLD)):
        await kept.keys(OTHER).check()
    assert await kept.stores.master_keys.list() == []
    await kept.keys(OLD).check()


async def test_a_record_that_does_not_open_is_no_proof() -> None:
    kept = Kept()
    await kept.keys(OLD).check()
    (record,) = await kept.stores.master_keys.list()
    await kept.stores.master_keys.remove(record.key_id)
    forged = replace(record, ciphertext=record.ciphertext[:-1] + bytes([record.ciphertext[-1] ^ 1]))
    await kept.stores.master_keys.enter(forged, known=[forged.key_id])
    with pytest.raises(MasterKeyMismatchError):
        await kept.keys(OLD).check()


async def test_a_rotation_moves_everything_and_the_old_key_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_keys, "BATCH", 2)
    kept = Kept()
    await kept.keys(OLD).check()
    for number in range(5):
        await kept.secrets(OLD).set(f"prj_{number % 2}", f"NAME_{number}", f"value-{number}")
    before = await kept.stores.secrets.list("prj_1")
    asked = await kept.keys(NEW, OLD).rotate(dry_run=True)
    assert (asked.resealed, asked.left) == (0, {id_of(OLD): 5})
    assert await kept.stores.secrets.list("prj_1") == before
    done = await kept.keys(NEW, OLD).rotate()
    assert (done.key_id, done.resealed, done.left, done.unreadable) == (id_of(NEW), 5, {}, {})
    assert await kept.secrets(NEW).of_project("prj_1") == {"NAME_1": "value-1", "NAME_3": "value-3"}
    after = await kept.stores.secrets.list("prj_1")
    assert [one.updated_at for one in after] == [one.updated_at for one in before]
    await kept.keys(NEW).check()
    assert (await kept.keys(NEW, OLD).rotate()).resealed == 0


async def test_a_rotation_that_is_cut_off_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_keys, "BATCH", 2)
    kept = Kept()
    for number in range(5):
        await kept.secrets(OLD).set("prj_1", f"NAME_{number}", f"value-{number}")
    reseal, calls = kept.stores.secrets.reseal, 0

    async def dies(before: SealedSecret, after: SealedSecret) -> bool:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise ConnectionError
        return await reseal(before, after)

    monkeypatch.setattr(kept.stores.secrets, "reseal", dies)
    with pytest.raises(ConnectionError):
        await kept.keys(NEW, OLD).rotate()
    monkeypatch.undo()
    assert (await kept.keys(NEW, OLD).rotate(dry_run=True)).left == {id_of(OLD): 2}
    assert (await kept.keys(NEW, OLD).rotate()).resealed == 2


async def test_a_value_that_is_set_while_it_is_moved_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    await kept.secrets(OLD).set("prj_1", "TOKEN", "first-value")
    reseal = kept.stores.secrets.reseal

    async def beaten(before: SealedSecret, after: SealedSecret) -> bool:
        await kept.secrets(OLD).set("prj_1", "TOKEN", "second-value")
        return await reseal(before, after)

    monkeypatch.setattr(kept.stores.secrets, "reseal", beaten)
    done = await kept.keys(NEW, OLD).rotate()
    assert (done.resealed, done.left) == (0, {id_of(OLD): 1})
    assert await kept.secrets(OLD).of_project("prj_1") == {"TOKEN": "second-value"}


async def test_what_no_key_opens_is_told_and_the_rest_is_moved() -> None:
    kept = Kept()
    await kept.secrets(OTHER).set("prj_1", "A", "of-another")
    await kept.secrets(OLD).set("prj_1", "B", "of-the-old")
    done = await kept.keys(NEW, OLD).rotate()
    assert (done.resealed, done.left, done.unreadable) == (1, {id_of(OTHER): 1}, {id_of(OTHER): 1})


async def test_a_lost_key_is_given_up_by_its_id_alone() -> None:
    kept = Kept()
    await kept.keys(OLD).check()
    await kept.secrets(OLD).set("prj_1", "TOKEN", "value-of-it")
    assert not await kept.keys(NEW).give_up(id_of(NEW))
    assert await kept.keys(NEW).give_up(id_of(OLD))
    await kept.keys(NEW).rotate()
    await kept.keys(NEW).check()
    await kept.secrets(NEW).set("prj_1", "TOKEN", "another-value")
    assert await kept.secrets(NEW).of_project("prj_1") == {"TOKEN": "another-value"}
