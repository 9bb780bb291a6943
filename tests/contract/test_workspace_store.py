"""What every `WorkspaceStore` does."""

from __future__ import annotations

import pytest
from factories import NOW
from stores import Stores

from daftray.domain.errors import NameTakenError, WorkspaceNotFoundError
from daftray.domain.workspace import Workspace

TEAM = Workspace(id="wsp_1", name="team", created_at=NOW)


async def test_the_default_one_is_there_from_the_start(stores: Stores) -> None:
    assert [one.name for one in await stores.workspaces.list()] == ["default"]


async def test_a_workspace_is_found_by_id_and_by_name(stores: Stores) -> None:
    await stores.workspaces.add(TEAM)
    assert await stores.workspaces.get("wsp_1") == await stores.workspaces.get("team") == TEAM


async def test_an_id_wins_over_a_name(stores: Stores) -> None:
    await stores.workspaces.add(Workspace(id="wsp_2", name="wsp_1", created_at=NOW))
    await stores.workspaces.add(TEAM)
    assert await stores.workspaces.get("wsp_1") == TEAM


async def test_a_name_is_one_workspaces(stores: Stores) -> None:
    await stores.workspaces.add(TEAM)
    with pytest.raises(NameTakenError):
        await stores.workspaces.add(Workspace(id="wsp_2", name="team", created_at=NOW))


async def test_an_unknown_one_is_not_found(stores: Stores) -> None:
    with pytest.raises(WorkspaceNotFoundError):
        await stores.workspaces.get("team")


async def test_they_are_listed_by_name_in_the_order_of_code_points(stores: Stores) -> None:
    for number, name in enumerate(["b", "Z", "a"]):
        await stores.workspaces.add(Workspace(id=f"wsp_{number}", name=name, created_at=NOW))
    assert [one.name for one in await stores.workspaces.list()] == ["Z", "a", "b", "default"]
