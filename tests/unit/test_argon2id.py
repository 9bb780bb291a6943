from __future__ import annotations

import asyncio
import threading

import pytest

from daftray.adapters.passwords.argon2id import AT_ONCE, LONGEST_QUEUE, Argon2Passwords
from daftray.domain.errors import TooManyRequestsError


def quick() -> Argon2Passwords:
    return Argon2Passwords(passes=1, memory_kib=8, lanes=1)


async def test_a_hash_is_argon2id_of_the_second_recommended_parameters() -> None:
    assert (await Argon2Passwords().hash("x")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_salt_is_new_each_time() -> None:
    assert await quick().hash("x") != await quick().hash("x")


async def test_what_looks_the_same_is_the_same_however_it_was_typed() -> None:
    hashed = await quick().hash("Ka\u0308se\u00adfu\u0308r")
    assert await quick().matches("K\u00e4se\u00adf\u00fcr", hashed)


async def test_nobodys_password_takes_the_work_of_a_wrong_one(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = quick()
    hashed = await passwords.hash("right")
    verified: list[str | None] = []

    def work(password: str, against: str | None) -> str:
        verified.append(against)
        return Argon2Passwords._work(passwords, password, against)

    monkeypatch.setattr(passwords, "_work", work)
    assert not await passwords.matches("wrong", hashed)
    assert not await passwords.matches("wrong", None)
    made, known, nobodys = verified
    assert (made, known) == (None, hashed)
    assert nobodys
    assert parameters(nobodys) == parameters(hashed)


def parameters(hashed: str) -> str:
    """Return what a hash says before its salt."""
    return hashed.rsplit("$", 2)[0]


async def test_few_are_at_work_at_once_and_those_behind_a_long_queue_are_sent_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, most, busy, lock = threading.Event(), 0, 0, threading.Lock()
    passwords = quick()

    def work(password: str, _: str | None) -> str:
        nonlocal most, busy
        with lock:
            busy += 1
            most = max(most, busy)
        gate.wait(30)
        with lock:
            busy -= 1
        return password

    monkeypatch.setattr(passwords, "_work", work)
    waiting = [asyncio.create_task(passwords.hash("x")) for _ in range(LONGEST_QUEUE)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequestsError):
        await passwords.hash("one more")
    gate.set()
    assert len(await asyncio.gather(*waiting)) == LONGEST_QUEUE
    assert most <= AT_ONCE
    assert await passwords.hash("after") == "after"
