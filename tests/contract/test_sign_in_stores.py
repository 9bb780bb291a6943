"""What every store of sessions, of families of refresh tokens and of waiting devices does."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW
from fake_sessions import InMemoryDeviceStore, InMemorySessionStore, InMemoryTokenFamilyStore
from msgspec.structs import replace
from stores import opened

from daftray.adapters.db.database import Database
from daftray.adapters.db.devices import SqlDeviceStore
from daftray.adapters.db.sessions import SqlSessionStore
from daftray.adapters.db.token_families import SqlTokenFamilyStore
from daftray.adapters.db.users import SqlUserStore
from daftray.domain.device import Device
from daftray.domain.errors import ConflictError, TooManyRequestsError, UserNotFoundError
from daftray.domain.ports.sessions import DeviceStore, SessionStore, TokenFamilyStore
from daftray.domain.session import BrowserSession, TokenFamily
from daftray.domain.user import User

LATER = NOW + timedelta(hours=1)
USERS = ("usr_ada", "usr_bob")


@dataclass(frozen=True)
class SignInStores:
    sessions: SessionStore
    families: TokenFamilyStore
    devices: DeviceStore


def of_database(database: Database) -> SignInStores:
    return SignInStores(SqlSessionStore(database), SqlTokenFamilyStore(database), SqlDeviceStore(database))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def sign_in(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[SignInStores]:
    if request.param == "memory":
        yield SignInStores(
            InMemorySessionStore(set(USERS)), InMemoryTokenFamilyStore(), InMemoryDeviceStore()
        )
        return
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_file")
        url = f"sqlite:///{shutil.copy(template, tmp_path / 'daftray.db')}"
    else:
        url = request.getfixturevalue("emptied_postgres")
    async with opened(url) as (database, _):
        for user_id in USERS:
            await SqlUserStore(database).add(User(id=user_id, name=user_id, created_at=NOW))
        yield of_database(database)


def a_session(**fields: object) -> BrowserSession:
    session = BrowserSession(
        id="ses_1", holder="usr_ada", digest="d", created_at=NOW, seen_at=NOW, expires_at=LATER
    )
    return replace(session, **fields)


def a_family(**fields: object) -> TokenFamily:
    family = TokenFamily(
        id="fam_1",
        holder="usr_ada",
        workspace="default",
        digest="shared",
        current="one",
        created_at=NOW,
        expires_at=LATER,
        ends_at=LATER + timedelta(hours=1),
    )
    return replace(family, **fields)


def a_device(**fields: object) -> Device:
    device = Device(id="dev_1", digest="long", code_digest="short", created_at=NOW, expires_at=LATER)
    return replace(device, **fields)


async def test_a_session_comes_back_as_it_was_added_and_goes(sign_in: SignInStores) -> None:
    await sign_in.sessions.add(a_session())
    assert await sign_in.sessions.get("ses_1") == a_session()
    assert await sign_in.sessions.get("ses_2") is None
    await sign_in.sessions.delete("ses_1")
    await sign_in.sessions.delete("ses_1")
    assert await sign_in.sessions.get("ses_1") is None


async def test_a_session_is_somebodys(sign_in: SignInStores) -> None:
    with pytest.raises(UserNotFoundError):
        await sign_in.sessions.add(a_session(holder="usr_nobody"))


async def test_a_key_has_sessions_too(sign_in: SignInStores) -> None:
    session = a_session(holder="key_1")
    await sign_in.sessions.add(session)
    assert await sign_in.sessions.get(session.id) == session
    await sign_in.sessions.delete_of("key_1")
    assert await sign_in.sessions.get(session.id) is None


async def test_a_session_is_seen_later_never_earlier(sign_in: SignInStores) -> None:
    await sign_in.sessions.add(a_session())
    for minutes in (5, 3):
        await sign_in.sessions.seen("ses_1", NOW + timedelta(minutes=minutes))
    found = await sign_in.sessions.get("ses_1")
    assert found
    assert found.seen_at == NOW + timedelta(minutes=5)


async def test_sessions_go_when_they_are_over_or_all_of_a_person(sign_in: SignInStores) -> None:
    await sign_in.sessions.add(a_session(id="ses_old"))
    start = {"created_at": LATER, "seen_at": LATER, "expires_at": LATER + timedelta(1)}
    for session_id, holder in (("ses_a", "usr_ada"), ("ses_b", "usr_bob")):
        await sign_in.sessions.add(a_session(id=session_id, holder=holder, **start))
    assert await sign_in.sessions.get("ses_old") is None
    await sign_in.sessions.delete_of("usr_ada")
    assert await sign_in.sessions.get("ses_a") is None
    assert await sign_in.sessions.get("ses_b")


async def test_a_family_rotates_by_its_current_digest_alone(sign_in: SignInStores) -> None:
    families, until = sign_in.families, LATER + timedelta(minutes=5)
    await families.add(a_family())
    assert await families.get("fam_1") == a_family()
    rotated = await families.rotate("fam_1", old="one", new="two", at=NOW, expires_at=until)
    assert rotated == a_family(current="two", expires_at=until)
    assert await families.rotate("fam_1", old="one", new="three", at=NOW, expires_at=until) is None
    assert await families.rotate("fam_2", old="two", new="three", at=NOW, expires_at=until) is None
    assert await families.get("fam_1") == rotated


async def test_of_two_rotations_at_once_one_has_its_way(sign_in: SignInStores) -> None:
    await sign_in.families.add(a_family())
    asked = [
        sign_in.families.rotate("fam_1", old="one", new=f"new-{n}", at=NOW, expires_at=LATER)
        for n in range(8)
    ]
    won = [one for one in await asyncio.gather(*asked) if one]
    assert len(won) == 1
    assert await sign_in.families.get("fam_1") == won[0]


@pytest.mark.parametrize(
    "over", [{"ended_at": NOW}, {"expires_at": NOW}, {"ends_at": NOW}], ids=["ended", "unused", "aged"]
)
async def test_a_family_that_is_over_does_not_rotate(sign_in: SignInStores, over: dict[str, object]) -> None:
    await sign_in.families.add(a_family(created_at=NOW - timedelta(1), **over))
    assert await sign_in.families.rotate("fam_1", old="one", new="two", at=NOW, expires_at=LATER) is None


async def test_a_family_keeps_the_time_of_its_first_end(sign_in: SignInStores) -> None:
    for family_id, holder in (("fam_1", "usr_ada"), ("fam_2", "usr_ada"), ("fam_3", "key_1")):
        await sign_in.families.add(a_family(id=family_id, holder=holder))
    await sign_in.families.end("fam_1", NOW)
    await sign_in.families.end("fam_none", NOW)
    await sign_in.families.end_of("usr_ada", NOW + timedelta(minutes=1))
    ended = [found and found.ended_at for n in (1, 2, 3) if (found := await sign_in.families.get(f"fam_{n}"))]
    assert ended == [NOW, NOW + timedelta(minutes=1), None]


async def test_families_that_are_over_go(sign_in: SignInStores) -> None:
    await sign_in.families.add(a_family())
    await sign_in.families.add(
        a_family(id="fam_2", created_at=LATER, expires_at=LATER + timedelta(1), ends_at=LATER + timedelta(2))
    )
    assert await sign_in.families.get("fam_1") is None
    assert await sign_in.families.get("fam_2")


async def test_a_device_is_found_by_code_and_changed_by_digest(sign_in: SignInStores) -> None:
    await sign_in.devices.add(a_device(), bound=9)
    assert await sign_in.devices.by_code("short") == a_device()
    assert await sign_in.devices.by_code("long") is None
    decided = {"approved": True, "holder": "usr_ada", "workspace": "default", "interval_s": 10}
    changed = await sign_in.devices.change("long", lambda one: replace(one, **decided))
    assert changed == (a_device(), a_device(**decided))
    assert await sign_in.devices.by_code("short") == a_device(**decided)
    assert await sign_in.devices.change("short", lambda one: one) is None


async def test_steps_of_a_device_do_not_overtake_each_other(sign_in: SignInStores) -> None:
    await sign_in.devices.add(a_device(interval_s=0), bound=9)
    await asyncio.gather(
        *(
            sign_in.devices.change("long", lambda one: replace(one, interval_s=one.interval_s + 1))
            for _ in range(8)
        )
    )
    found = await sign_in.devices.by_code("short")
    assert found
    assert found.interval_s == 8


@pytest.mark.parametrize("same", ["digest", "code_digest"])
async def test_a_code_is_one_devices(sign_in: SignInStores, same: str) -> None:
    await sign_in.devices.add(a_device(), bound=9)
    other = {"digest": "long-2", "code_digest": "short-2"}
    other[same] = getattr(a_device(), same)
    with pytest.raises(ConflictError):
        await sign_in.devices.add(a_device(id="dev_2", **other), bound=9)


async def test_devices_are_bounded_and_go_when_they_are_over(sign_in: SignInStores) -> None:
    await sign_in.devices.add(a_device(), bound=1)
    other = a_device(id="dev_2", digest="long-2", code_digest="short-2")
    with pytest.raises(TooManyRequestsError):
        await sign_in.devices.add(other, bound=1)
    await sign_in.devices.add(replace(other, created_at=LATER, expires_at=LATER + timedelta(1)), bound=1)
    assert await sign_in.devices.by_code("short") is None
