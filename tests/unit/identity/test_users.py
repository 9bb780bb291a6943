from __future__ import annotations

import pytest
from fakes import FakeClock, FakePasswords, InMemoryStores

from daftray.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NameTakenError,
    UnauthenticatedError,
    UserNotFoundError,
)
from daftray.domain.ids import Ids
from daftray.domain.principal import Grant, Principal, Role
from daftray.domain.user import Membership, User, UserPatch, UserRequest
from daftray.identity.users import Users

ROOT = Principal(id="key_root", kind="key", name="root", operator=True)
PASSWORD = "correct horse"


class People:
    """The use cases, and what is behind them."""

    def __init__(self) -> None:
        self.stores, self.passwords = InMemoryStores(FakeClock()), FakePasswords()
        self.users = Users(
            store=self.stores.users,
            memberships=self.stores.memberships,
            passwords=self.passwords,
            ids=Ids(),
            clock=FakeClock(),
        )

    async def ada(self, *, operator: bool = False) -> User:
        return await self.users.create(UserRequest(name="Ada", password=PASSWORD, operator=operator))


async def test_a_person_signs_in_however_the_name_is_typed() -> None:
    people = People()
    ada = await people.ada()
    assert ada.name == "ada"
    assert await people.users.verify("ADA", PASSWORD) == ada


async def test_a_password_is_not_kept_and_not_shown() -> None:
    ada = await People().ada()
    assert ada.password != PASSWORD
    assert PASSWORD not in repr(UserRequest(name="a", password=PASSWORD)) + repr(UserPatch(password=PASSWORD))
    assert str(ada.password) not in repr(ada)


async def test_whoever_may_not_sign_in_costs_and_answers_as_a_wrong_password_does() -> None:
    people = People()
    await people.ada()
    off = await people.users.create(UserRequest(name="off", password=PASSWORD))
    await people.users.update(ROOT, off, UserPatch(disabled=True))
    await people.users.create(UserRequest(name="openid", subject="i|1"))
    people.passwords.compared.clear()
    said: set[str] = set()
    tries = [("ada", "wrong"), ("nobody", PASSWORD), ("off", PASSWORD), ("openid", PASSWORD), ("openid", "")]
    for name, password in tries:
        with pytest.raises(UnauthenticatedError) as refused:
            await people.users.verify(name, password)
        said.add(refused.value.detail)
    assert len(said) == 1
    assert len(people.passwords.compared) == len(tries)


async def test_a_hash_of_old_parameters_is_made_anew_at_the_next_sign_in() -> None:
    people = People()
    ada = await people.ada()
    people.passwords.version = 2
    await people.users.verify("ada", PASSWORD)
    assert (await people.users.get(ada.id)).password == await people.passwords.hash(PASSWORD)
    with pytest.raises(UnauthenticatedError):
        await people.users.verify("ada", "wrong")


async def test_a_person_may_what_their_memberships_say() -> None:
    people = People()
    ada = await people.ada()
    await people.stores.memberships.put(Membership(user_id=ada.id, workspace="w", role=Role.VIEWER))
    await people.stores.memberships.put(
        Membership(user_id=ada.id, workspace="w", project="p", role=Role.ADMIN)
    )
    principal = await people.users.principal(ada.id)
    assert (principal.id, principal.kind, principal.name, principal.operator) == (
        ada.id,
        "person",
        "ada",
        False,
    )
    assert principal.grants == (
        Grant(workspace="w", role=Role.VIEWER),
        Grant(workspace="w", project="p", role=Role.ADMIN),
    )


@pytest.mark.parametrize("gone", ["disabled", "deleted", "named"])
async def test_who_is_gone_is_no_caller(gone: str) -> None:
    people = People()
    ada = await people.ada()
    if gone == "disabled":
        await people.users.update(ROOT, ada, UserPatch(disabled=True))
    elif gone == "deleted":
        await people.users.delete(ROOT, ada)
    with pytest.raises(UnauthenticatedError):
        await people.users.principal("ada" if gone == "named" else ada.id)


async def test_a_disabled_person_keeps_when_that_was_and_may_come_back() -> None:
    people = People()
    ada = await people.ada()
    off = await people.users.update(ROOT, ada, UserPatch(disabled=True))
    assert (await people.users.update(ROOT, off, UserPatch(disabled=True))).disabled_at == off.disabled_at
    back = await people.users.update(ROOT, off, UserPatch(disabled=False))
    assert await people.users.verify("ada", PASSWORD) == back


async def test_a_person_changes_the_password_who_knows_it() -> None:
    people = People()
    ada = await people.ada()
    caller = await people.users.principal(ada.id)
    with pytest.raises(ForbiddenError):
        await people.users.change_password(caller, old="wrong", new="another horse")
    await people.users.change_password(caller, old=PASSWORD, new="another horse")
    assert (await people.users.verify("ada", "another horse")).id == ada.id
    with pytest.raises(InvalidInputError):
        await people.users.change_password(ROOT, old=PASSWORD, new="another horse")


async def test_the_last_operator_does_not_leave_by_themselves() -> None:
    people = People()
    ada = await people.ada(operator=True)
    caller = await people.users.principal(ada.id)
    for patch in (UserPatch(disabled=True), UserPatch(operator=False)):
        with pytest.raises(ConflictError):
            await people.users.update(caller, ada, patch)
    with pytest.raises(ConflictError):
        await people.users.delete(caller, ada)
    await people.users.delete(ROOT, ada)
    with pytest.raises(UserNotFoundError):
        await people.users.get("ada")


async def test_a_name_is_one_persons_and_me_is_nobodys() -> None:
    people = People()
    await people.ada()
    with pytest.raises(NameTakenError):
        await people.users.create(UserRequest(name="ADA"))
    with pytest.raises(InvalidInputError):
        await people.users.create(UserRequest(name="Me"))
