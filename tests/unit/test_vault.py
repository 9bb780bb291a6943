from __future__ import annotations

import pytest
from factories import NOW
from msgspec.structs import replace

from daftray.adapters.vault.aesgcm import AesGcmVault, derive
from daftray.domain.errors import SecretUnreadableError


def test_what_was_sealed_opens() -> None:
    vault = AesGcmVault(b"master")
    assert vault.open(vault.seal(owner="prj_1", name="TOKEN", value="s3cret-ü", at=NOW)) == "s3cret-ü"


def test_the_value_is_not_in_what_is_kept_and_never_the_same_twice() -> None:
    vault = AesGcmVault(b"master")
    first, second = (vault.seal(owner="prj_1", name="TOKEN", value="s3cret", at=NOW) for _ in range(2))
    assert b"s3cret" not in first.ciphertext
    assert first.ciphertext != second.ciphertext


@pytest.mark.parametrize("moved", [{"owner": "prj_2"}, {"name": "OTHER"}])
def test_a_ciphertext_moved_to_another_row_does_not_open(moved: dict[str, str]) -> None:
    vault = AesGcmVault(b"master")
    sealed = vault.seal(owner="prj_1", name="TOKEN", value="s3cret", at=NOW)
    with pytest.raises(SecretUnreadableError):
        vault.open(replace(sealed, **moved))


def test_another_master_key_is_told_apart_and_named() -> None:
    sealed = AesGcmVault(b"master").seal(owner="prj_1", name="TOKEN", value="s3cret", at=NOW)
    with pytest.raises(SecretUnreadableError, match=sealed.key_id):
        AesGcmVault(b"another").open(sealed)


def test_keys_of_different_purposes_differ() -> None:
    assert derive(b"master", purpose="a") != derive(b"master", purpose="b")
