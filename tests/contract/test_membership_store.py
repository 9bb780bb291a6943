"""What every `MembershipStore` does."""

from __future__ import annotations

import pytest
from factories import a_user
from stores import Stores

from daftray.domain.errors import ConflictError, MemberNotFoundError, UserNotFoundError
from daftray.domain.principal import Role
from daftray.domain.user import Membership, User


async def add(stores: Stores, name: str, *grants: tuple[str, str | None, Role]) -> User:
    user = a_user(name=name)
    await stores.users.add(user)
    for workspace, project, role in grants:
        await stores.memberships.put(
            Membership(user_id=user.id, workspace=workspace, project=project, role=role)
        )
    return user


async def test_a_persons_roles_come_back(stores: Stores) -> None:
    ada = await add(
        stores, "ada", ("b", None, Role.ADMIN), ("a", "prj_1", Role.VIEWER), ("a", None, Role.RUNNER)
    )
    await add(stores, "bob", ("a", None, Role.ADMIN))
    found = await stores.memberships.of_user(ada.id)
    assert [(one.workspace, one.project, one.role) for one in found] == [
        ("a", None, Role.RUNNER),
        ("a", "prj_1", Role.VIEWER),
        ("b", None, Role.ADMIN),
    ]


async def test_members_are_those_of_a_workspace_or_of_one_project(stores: Stores) -> None:
    bob = await add(stores, "bob", ("a", None, Role.ADMIN), ("b", None, Role.ADMIN))
    ada = await add(stores, "ada", ("a", "prj_1", Role.VIEWER), ("a", "prj_2", Role.VIEWER))
    everywhere = await stores.memberships.members("a")
    assert [(user, one.project) for one, user in everywhere] == [(ada, "prj_1"), (ada, "prj_2"), (bob, None)]
    of_one = await stores.memberships.members("a", "prj_1")
    assert [(user.name, one.project) for one, user in of_one] == [("ada", "prj_1")]


async def test_a_role_takes_the_place_of_the_one_before(stores: Stores) -> None:
    ada = await add(stores, "ada", ("a", None, Role.VIEWER), ("a", None, Role.ADMIN))
    assert [one.role for one in await stores.memberships.of_user(ada.id)] == [Role.ADMIN]


async def test_nobody_gets_no_role(stores: Stores) -> None:
    with pytest.raises(UserNotFoundError):
        await stores.memberships.put(Membership(user_id="usr_none", workspace="a", role=Role.VIEWER))


async def test_a_role_is_taken_there_alone(stores: Stores) -> None:
    ada = await add(stores, "ada", ("a", None, Role.VIEWER), ("a", "prj_1", Role.ADMIN))
    await stores.memberships.remove(ada.id, "a", "prj_1")
    assert [one.project for one in await stores.memberships.of_user(ada.id)] == [None]
    with pytest.raises(MemberNotFoundError):
        await stores.memberships.remove(ada.id, "a", "prj_1")


async def test_a_workspaces_last_admin_stays_where_one_is_to_be_kept(stores: Stores) -> None:
    ada = await add(stores, "ada", ("a", None, Role.ADMIN), ("b", None, Role.ADMIN))
    bob = await add(stores, "bob", ("a", "prj_1", Role.ADMIN), ("a", None, Role.RUNNER))
    lower = Membership(user_id=ada.id, workspace="a", role=Role.RUNNER)
    with pytest.raises(ConflictError):
        await stores.memberships.put(lower, keep_admin=True)
    with pytest.raises(ConflictError):
        await stores.memberships.remove(ada.id, "a", keep_admin=True)
    await stores.memberships.remove(bob.id, "a", "prj_1", keep_admin=True)
    await stores.memberships.put(Membership(user_id=bob.id, workspace="a", role=Role.ADMIN), keep_admin=True)
    await stores.memberships.put(lower, keep_admin=True)
    await stores.memberships.remove(bob.id, "a")
    assert [one.role for one, _ in await stores.memberships.members("a")] == [Role.RUNNER]
