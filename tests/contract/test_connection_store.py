"""What every `ConnectionStore` does."""

from __future__ import annotations

import pytest
from factories import a_connection, a_project, at
from msgspec.structs import replace
from stores import Stores

from daftray.domain.connection import ConnectionSort
from daftray.domain.errors import (
    CatalogNotFoundError,
    ConflictError,
    DataSourceNotFoundError,
    NameTakenError,
    ProjectNotFoundError,
)

SOURCE, CATALOG = ConnectionSort.DATA_SOURCE, ConnectionSort.CATALOG


async def test_a_connection_is_kept_whole_and_found_by_id_and_by_name(stores: Stores) -> None:
    info: dict[str, object] = {"sql": {"query": "SELECT 'ж\0'", "secret_name": "DB", "num_partitions": 3}}
    kept = a_connection(name="Orders.v2", info=info)
    await stores.connections.add(kept, most=10)
    assert await stores.connections.get("prj_demo", SOURCE, kept.id) == kept
    assert await stores.connections.get("prj_demo", SOURCE, kept.name) == kept
    for project, sort, name in (
        ("prj_demo", SOURCE, "orders.v2"),
        ("prj_other", SOURCE, kept.id),
        ("prj_demo", CATALOG, kept.id),
        ("prj_demo", CATALOG, kept.name),
    ):
        with pytest.raises(CatalogNotFoundError if sort is CATALOG else DataSourceNotFoundError):
            await stores.connections.get(project, sort, name)


async def test_an_id_wins_over_a_name(stores: Stores) -> None:
    first = a_connection(name="first")
    await stores.connections.add(first, most=10)
    await stores.connections.add(a_connection(name=first.id), most=10)
    assert await stores.connections.get("prj_demo", SOURCE, first.id) == first


async def test_each_sort_is_listed_by_name_with_names_of_its_own(stores: Stores) -> None:
    for name in ("b", "a", "C"):
        await stores.connections.add(a_connection(name=name), most=10)
    catalog = a_connection(name="a", sort=CATALOG)
    await stores.connections.add(catalog, most=10)
    found = await stores.connections.list("prj_demo", SOURCE, limit=10)
    assert [one.name for one in found] == ["C", "a", "b"]
    assert await stores.connections.list("prj_demo", SOURCE, limit=1, offset=1) == found[1:2]
    assert await stores.connections.list("prj_demo", CATALOG, limit=10) == [catalog]


async def test_a_name_is_taken_once_in_a_project(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    await stores.connections.add(a_connection(name="a"), most=10)
    await stores.connections.add(a_connection(name="a", project="prj_other"), most=10)
    other = a_connection(name="b")
    await stores.connections.add(other, most=10)
    with pytest.raises(NameTakenError):
        await stores.connections.add(a_connection(name="a"), most=10)
    with pytest.raises(NameTakenError):
        await stores.connections.save(replace(other, name="a"))
    assert (await stores.connections.get("prj_demo", SOURCE, other.id)).name == "b"


async def test_there_are_so_many_and_no_more(stores: Stores) -> None:
    await stores.connections.add(a_connection(name="a"), most=1)
    with pytest.raises(ConflictError):
        await stores.connections.add(a_connection(name="b"), most=1)
    await stores.connections.add(a_connection(name="b", sort=CATALOG), most=1)


async def test_a_connection_needs_its_project(stores: Stores) -> None:
    with pytest.raises(ProjectNotFoundError):
        await stores.connections.add(a_connection(project="prj_none"), most=10)


async def test_a_saved_one_keeps_when_it_came_to_be(stores: Stores) -> None:
    kept = a_connection(name="a")
    await stores.connections.add(kept, most=10)
    changed = replace(kept, name="b", info={"hudi": {"uri": "s3://b/t"}}, updated_at=at(5))
    await stores.connections.save(replace(changed, created_at=at(9)))
    assert await stores.connections.get("prj_demo", SOURCE, "b") == changed
    with pytest.raises(DataSourceNotFoundError):
        await stores.connections.save(replace(kept, id="src_none", name="c"))
    with pytest.raises(CatalogNotFoundError):
        await stores.connections.save(replace(kept, sort=CATALOG))


async def test_a_deleted_one_is_gone(stores: Stores) -> None:
    kept = a_connection()
    await stores.connections.add(kept, most=10)
    with pytest.raises(DataSourceNotFoundError):
        await stores.connections.delete("prj_other", SOURCE, kept.id)
    with pytest.raises(CatalogNotFoundError):
        await stores.connections.delete("prj_demo", CATALOG, kept.id)
    await stores.connections.delete("prj_demo", SOURCE, kept.id)
    with pytest.raises(DataSourceNotFoundError):
        await stores.connections.delete("prj_demo", SOURCE, kept.id)


async def test_connections_go_with_their_project(stores: Stores) -> None:
    kept = a_connection()
    await stores.connections.add(kept, most=10)
    await stores.projects.delete("prj_demo")
    with pytest.raises(DataSourceNotFoundError):
        await stores.connections.get("prj_demo", SOURCE, kept.id)
