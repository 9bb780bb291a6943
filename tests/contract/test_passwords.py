"""What every `Passwords` does. The real one has parameters here that are quick, and of no use elsewhere."""

from __future__ import annotations

import pytest
from fakes import FakePasswords

from daftray.adapters.passwords.argon2id import Argon2Passwords
from daftray.domain.ports import Passwords


def argon2(passes: int = 1) -> Argon2Passwords:
    return Argon2Passwords(passes=passes, memory_kib=8, lanes=1)


@pytest.fixture(params=["fake", "argon2"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def passwords(kind: str) -> Passwords:
    return FakePasswords() if kind == "fake" else argon2()


@pytest.fixture
def newer(kind: str) -> Passwords:
    return FakePasswords(2) if kind == "fake" else argon2(2)


async def test_a_password_has_its_own_hash_and_no_other(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert "correct horse" not in hashed
    assert await passwords.matches("correct horse", hashed)
    assert not await passwords.matches("correct horsf", hashed)


async def test_no_hash_and_no_hash_at_all_match_nothing(passwords: Passwords) -> None:
    assert not await passwords.matches("nobody's", None)
    assert not await passwords.matches("", None)
    assert not await passwords.matches("", "nonsense")


async def test_a_hash_of_other_parameters_matches_and_is_outdated(
    passwords: Passwords, newer: Passwords
) -> None:
    hashed = await passwords.hash("correct horse")
    assert await newer.matches("correct horse", hashed)
    assert (newer.outdated(hashed), passwords.outdated(hashed)) == (True, False)
