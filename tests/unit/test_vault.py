from __future__ import annotations

import pytest
from factories import NOW
from msgspec.structs import replace

from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.adapters.vault.key_ring import KeyRing, derive
from daftray.domain.errors import SecretUnreadableError

OLD, NEW = b"the older master key of the tests", b"the newer master key of the tests"


def vault_of(*keys: bytes) -> AesGcmVault:
    return AesGcmVault(KeyRing.of(*keys))


def test_what_was_sealed_opens() -> None:
    vault = vault_of(OLD)
    assert vault.open(vault.seal(owner="prj_1", name="TOKEN", value="s3cret-ü", at=NOW)) == "s3cret-ü"


def test_the_value_is_not_in_what_is_kept_and_never_the_same_twice() -> None:
    vault = vault_of(OLD)
    first, second = (vault.seal(owner="prj_1", name="TOKEN", value="s3cret", at=NOW) for _ in range(2))
    assert b"s3cret" not in first.ciphertext
    assert first.ciphertext != second.ciphertext


@pytest.mark.parametrize("moved", [{"owner": "prj_2"}, {"name": "OTHER"}])
def test_a_ciphertext_moved_to_another_row_does_not_open(moved: dict[str, str]) -> None:
    vault = vault_of(OLD)
    sealed = vault.seal(owner="prj_1", name="TOKEN", value="s3cret", at=NOW)
    with pytest.raises(SecretUnreadableError, match="changed or moved"):
        vault.open(replace(sealed, **moved))


def test_a_key_that_is_not_there_is_named_and_so_are_those_that_are() -> None:
    sealed, other = vault_of(OLD).seal(owner="prj_1", name="TOKEN", value="s3cret", at=NOW), vault_of(NEW)
    with pytest.raises(SecretUnreadableError, match=f"{sealed.key_id}; this server has {other.key_ids[0]}"):
        other.open(sealed)


def test_the_first_key_seals_and_all_open() -> None:
    older, both = vault_of(OLD), vault_of(NEW, OLD)
    before = older.seal(owner="prj_1", name="TOKEN", value="before", at=NOW)
    after = both.seal(owner="prj_1", name="TOKEN", value="after", at=NOW)
    assert (both.open(before), both.open(after)) == ("before", "after")
    assert (before.key_id, after.key_id) == (older.key_ids[0], vault_of(NEW).key_ids[0])
    assert both.key_ids == (after.key_id, before.key_id)
    with pytest.raises(SecretUnreadableError):
        older.open(after)


def test_keys_of_different_purposes_differ() -> None:
    assert derive(b"master", purpose="a") != derive(b"master", purpose="b")
    ring = KeyRing.of(NEW, OLD)
    assert ring.keys("a")[0] == (ring.first.id, derive(NEW, purpose="a"))
    assert [key for _, key in ring.keys("b")] == [derive(key, purpose="b") for key in (NEW, OLD)]


def test_a_ring_goes_with_its_source_and_so_do_the_keys_taken_of_it() -> None:
    secrets = (OLD,)
    ring = KeyRing(lambda: secrets)
    keys = ring.keys("tokens")
    (before,) = keys
    secrets = (NEW, OLD, NEW)
    assert len(keys) == 2, "a key that comes twice is one"
    assert keys[0] != before
    assert keys[1:] == (before,)
    assert ring.get(before[0]) is ring.all[1]
    assert ring.get("unknown") is None


def test_a_ring_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no keys"):
        _ = KeyRing.of().first


def test_no_key_is_in_a_repr() -> None:
    assert OLD.decode() not in repr([KeyRing.of(OLD).first, KeyRing.of(OLD), vault_of(OLD)])
