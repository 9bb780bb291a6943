"""Who a person of an OpenID provider is here, and who is taken for nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sign_in import SignIn

from daftray.domain.audit import AuditQuery
from daftray.domain.errors import ForbiddenError, UnauthenticatedError
from daftray.domain.openid import OpenIdClaims, OpenIdPolicy
from daftray.domain.user import User, UserRequest
from daftray.identity.audit import AuditLog
from daftray.identity.openid_people import OpenIdPeople

EMAIL = "ada@example.org"


class World:
    def __init__(self, **policy: Any) -> None:
        self.sign_in = SignIn()
        self.users, self.store = self.sign_in.users, self.sign_in.stores.users
        log, ids, clock = self.sign_in.stores.audit, self.sign_in.ids, self.sign_in.clock
        self.audit = AuditLog(store=log, users=self.store, ids=ids, clock=clock)
        self.people = OpenIdPeople(
            store=self.store, users=self.users, audit=self.audit, policy=OpenIdPolicy(**policy)
        )

    async def added(self, name: str = EMAIL, **fields: Any) -> User:
        return await self.users.create(UserRequest(name=name, **fields))

    async def find(self, subject: str = "1", **claims: Any) -> User:
        said: dict[str, Any] = {"email": EMAIL, "email_verified": True, **claims}
        issuer = said.pop("iss", "https://id.example")
        known = OpenIdClaims(issuer=issuer, subject=subject, claims=said)
        return await self.people.find(known, remote="192.0.2.1")

    async def refused(self, subject: str = "1", **claims: Any) -> None:
        with pytest.raises(ForbiddenError):
            await self.find(subject, **claims)

    async def kept(self) -> list[tuple[str, str, str | None]]:
        log = await self.audit.list(AuditQuery())
        return [(entry.action, entry.actor_name, entry.remote) for entry in log]


async def test_a_name_that_an_admin_added_is_bound_at_the_first_sign_in() -> None:
    world = World()
    ada = await world.added()
    found = await world.find(email="Ada@Example.org")
    assert found.id == ada.id
    assert (await world.store.get(ada.id)).subject == "https://id.example|1"
    assert (await world.find()).id == ada.id
    assert await world.kept() == [("user.bind", EMAIL, "192.0.2.1")]


async def test_whoever_gets_the_address_next_does_not_get_the_user() -> None:
    world = World()
    await world.added()
    await world.find("1")
    await world.refused("2")
    await world.refused("1", iss="https://another.example")
    assert len(await world.store.list(limit=9)) == 1


async def test_a_new_address_stays_the_same_person_and_takes_nobody_over() -> None:
    world = World()
    ada, bob = await world.added(), await world.added("bob@example.org")
    await world.find("1")
    assert (await world.find("1", email="bob@example.org")).id == ada.id
    assert (await world.find("1", email="x", email_verified=False)).id == ada.id
    assert (await world.store.get(bob.id)).subject is None


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, "True"])
async def test_an_address_that_is_not_verified_is_nobodys(verified: object) -> None:
    world = World()
    await world.added()
    await world.refused(email_verified=verified)


async def test_some_providers_say_so_in_a_text() -> None:
    world = World()
    ada = await world.added()
    assert (await world.find(email_verified="true")).id == ada.id


@pytest.mark.parametrize("email", [None, 5, "", "a b@example.org", "a" * 201, ["ada@example.org"], "me"])
async def test_a_name_that_nobody_can_have_is_refused(email: object) -> None:
    await World(create_users=True).refused(email=email)


async def test_another_claim_needs_no_address() -> None:
    world = World(name_claim="upn")
    ada = await world.added("ada")
    assert (await world.find(upn="Ada", email=None)).id == ada.id
    await world.refused("2", upn=None)


async def test_only_people_of_the_named_domains_come_in_each_time() -> None:
    world = World(domains=("example.org",))
    await world.added()
    await world.added("ada@example.org.evil.example")
    await world.find(email="ADA@EXAMPLE.ORG")
    await world.refused("2", email="ada@example.org.evil.example")
    await world.refused("1", email="ada@elsewhere.example")
    await world.refused("1", email_verified=False)


async def test_without_leave_nobody_is_made() -> None:
    world = World()
    await world.refused()
    assert await world.store.list(limit=9) == []


async def test_with_leave_people_are_made_without_any_role() -> None:
    world = World(create_users=True)
    ada = await world.find()
    principal = await world.users.principal(ada.id)
    assert (ada.name, ada.password, principal.grants, principal.operator) == (EMAIL, None, (), False)
    assert await world.kept() == [("user.create", EMAIL, "192.0.2.1")]
    await world.refused("2")


async def test_two_sign_ins_at_once_make_one_person() -> None:
    world = World(create_users=True)
    both = await asyncio.gather(world.find(), world.find())
    assert both[0].id == both[1].id
    assert len(await world.store.list(limit=9)) == 1


@pytest.mark.parametrize("bound", [False, True])
async def test_who_is_disabled_does_not_come_in(bound: bool) -> None:
    world = World()
    ada = await world.added()
    if bound:
        ada = await world.find()
    await world.sign_in.disable(ada)
    with pytest.raises(UnauthenticatedError):
        await world.find()


async def test_an_admin_may_bind_by_subject_beforehand() -> None:
    world = World()
    ada = await world.added("ada", subject="https://id.example|1")
    assert (await world.find(email=None)).id == ada.id
