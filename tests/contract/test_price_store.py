"""What every `PriceStore` does."""

from __future__ import annotations

import asyncio

import pytest
from factories import a_project, a_run, at, new
from stores import Stores

from daftray.domain.errors import PricesNotFoundError, ProjectNotFoundError
from daftray.domain.price import Price, PriceTable, PriceTableRequest

GPT = Price(model="gpt-*", provider="openai", per_million_tokens_in=2.5, per_million_tokens_out=10)
OTHER = Price(model="*", per_request=0.1)


async def keep(stores: Stores, *prices: Price, seconds: float = 0, note: str | None = None) -> PriceTable:
    request = PriceTableRequest(prices=list(prices), note=note)
    return await stores.prices.add("prj_demo", request, created_by="key_1", created_at=at(seconds))


async def test_each_change_is_a_version_of_its_own(stores: Stores) -> None:
    assert await stores.prices.latest("prj_demo") is None
    first = await keep(stores, GPT, OTHER, note="\x00 list prices")
    second = await keep(stores, GPT, seconds=60)
    assert first == PriceTable(
        version=1, prices=(GPT, OTHER), note="\x00 list prices", created_by="key_1", created_at=at(0)
    )
    assert (second.version, second.note) == (2, None)
    assert await stores.prices.latest("prj_demo") == second
    assert await stores.prices.get("prj_demo", 1) == first
    assert await stores.prices.list("prj_demo", limit=9, offset=0) == [second, first]
    assert await stores.prices.list("prj_demo", limit=1, offset=1) == [first]


async def test_the_same_prices_again_are_no_new_version(stores: Stores) -> None:
    first = await keep(stores, GPT, OTHER)
    assert await keep(stores, GPT, OTHER, seconds=9, note="again") == first
    assert (await keep(stores, OTHER, GPT)).version == 2, "which comes first decides"
    assert (await keep(stores)).prices == ()


async def test_what_is_set_at_the_same_time_gets_numbers_in_a_row(stores: Stores) -> None:
    prices = [Price(model=f"m{number}", per_request=1) for number in range(8)]
    kept = await asyncio.gather(*(keep(stores, price) for price in prices))
    assert sorted(table.version for table in kept) == list(range(1, 9))


async def test_prices_are_a_projects_own_and_go_with_it(stores: Stores) -> None:
    other = a_project(name="other")
    await stores.projects.add(other)
    await keep(stores, GPT)
    assert await stores.prices.latest(other.id) is None
    for project, version in ((other.id, 1), ("prj_demo", 2), ("prj_demo", 0)):
        with pytest.raises(PricesNotFoundError):
            await stores.prices.get(project, version)
    with pytest.raises(ProjectNotFoundError):
        await stores.prices.add(
            "prj_none", PriceTableRequest(prices=[]), created_by="key_1", created_at=at(0)
        )
    await stores.projects.delete("prj_demo")
    assert await stores.prices.latest("prj_demo") is None


async def test_a_run_is_priced_by_the_version_of_its_time(stores: Stores) -> None:
    runs = [a_run(created_at=at(seconds)) for seconds in (5, 10, 15, 25)]
    await stores.runs.add(*map(new, runs))
    assert await stores.prices.of_run(runs[0].id) is None
    await keep(stores, GPT, seconds=10)
    await keep(stores, OTHER, seconds=20)
    found = [await stores.prices.of_run(run.id) for run in runs]
    assert [table.version for table in found if table] == [1, 1, 1, 2]
    assert await stores.prices.of_run("run_none") is None
