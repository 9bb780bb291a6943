"""What every `UserStore` does."""

from __future__ import annotations

import pytest
from factories import NOW, a_user
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import ConflictError, NameTakenError, UserNotFoundError
from daftray.domain.principal import Role
from daftray.domain.user import Membership, User


async def test_a_user_comes_back_as_it_was_added(stores: Stores) -> None:
    user = a_user(password="hash", subject="https://id.example|1", operator=True, disabled_at=NOW)
    await stores.users.add(user)
    assert await stores.users.get(user.id) == await stores.users.get("ada") == user
    assert await stores.users.by_subject("https://id.example|1") == user


async def test_nobody_is_found_by_what_nobody_has(stores: Stores) -> None:
    await stores.users.add(a_user())
    assert await stores.users.by_subject("") is None
    with pytest.raises(UserNotFoundError):
        await stores.users.get("bob")


async def test_an_id_wins_over_a_name(stores: Stores) -> None:
    ada = a_user()
    await stores.users.add(a_user(name=ada.id))
    await stores.users.add(ada)
    assert await stores.users.get(ada.id) == ada


@pytest.mark.parametrize("other", [a_user(), a_user(name="bob", subject="s")])
async def test_a_name_and_a_subject_are_one_persons(stores: Stores, other: User) -> None:
    await stores.users.add(a_user(subject="s"))
    with pytest.raises(NameTakenError):
        await stores.users.add(other)


async def test_people_without_a_subject_are_not_the_same(stores: Stores) -> None:
    await stores.users.add(a_user())
    await stores.users.add(a_user(name="bob"))
    assert [user.name for user in await stores.users.list(limit=9)] == ["ada", "bob"]


async def test_a_list_goes_on_after_a_name(stores: Stores) -> None:
    for name in ("cleo", "ada", "bob"):
        await stores.users.add(a_user(name=name))
    assert [user.name for user in await stores.users.list(limit=2)] == ["ada", "bob"]
    assert [user.name for user in await stores.users.list(limit=2, after="bob")] == ["cleo"]


async def test_a_change_is_kept_and_names_stay_apart(stores: Stores) -> None:
    ada, bob = a_user(), a_user(name="bob")
    await stores.users.add(ada)
    await stores.users.add(bob)
    changed = replace(ada, name="ada2", password="hash", operator=True, disabled_at=NOW)
    await stores.users.save(changed)
    assert await stores.users.get(ada.id) == changed
    with pytest.raises(NameTakenError):
        await stores.users.save(replace(ada, name="bob"))
    with pytest.raises(UserNotFoundError):
        await stores.users.save(a_user(name="cleo"))


async def test_a_new_password_touches_nothing_else(stores: Stores) -> None:
    ada = a_user(password="old", disabled_at=NOW)
    await stores.users.add(ada)
    await stores.users.set_password(ada.id, "new")
    assert await stores.users.get(ada.id) == replace(ada, password="new")
    with pytest.raises(UserNotFoundError):
        await stores.users.set_password("usr_none", "new")


async def test_a_subject_is_given_once_and_is_one_persons(stores: Stores) -> None:
    ada, bob = a_user(password="hash", disabled_at=NOW), a_user(name="bob")
    await stores.users.add(ada)
    await stores.users.add(bob)
    assert await stores.users.bind_subject(ada.id, "i|1")
    assert not await stores.users.bind_subject(ada.id, "i|2")
    assert await stores.users.get(ada.id) == replace(ada, subject="i|1")
    with pytest.raises(NameTakenError):
        await stores.users.bind_subject(bob.id, "i|1")
    assert not await stores.users.bind_subject("usr_none", "i|3")


async def test_memberships_go_with_a_user(stores: Stores) -> None:
    ada = a_user()
    await stores.users.add(ada)
    await stores.memberships.put(Membership(user_id=ada.id, workspace="default", role=Role.ADMIN))
    await stores.users.delete(ada.id)
    assert await stores.memberships.members("default") == []
    with pytest.raises(UserNotFoundError):
        await stores.users.delete(ada.id)


async def test_the_last_operator_stays_where_one_is_to_be_kept(stores: Stores) -> None:
    ada, bob = a_user(operator=True), a_user(name="bob", operator=True, disabled_at=NOW)
    for user in (ada, bob):
        await stores.users.add(user)
    for leaving in (replace(ada, operator=False), replace(ada, disabled_at=NOW)):
        with pytest.raises(ConflictError):
            await stores.users.save(leaving, keep_operator=True)
    with pytest.raises(ConflictError):
        await stores.users.delete(ada.id, keep_operator=True)
    await stores.users.save(replace(ada, name="ada2"), keep_operator=True)
    await stores.users.save(replace(bob, disabled_at=None))
    await stores.users.delete(ada.id, keep_operator=True)
    await stores.users.delete(bob.id)
