"""What usage costs by a price table: each part once, and never a price of nothing for what is unknown."""

from __future__ import annotations

import math

import pytest
from factories import NOW, at
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.cost import priced
from daftray.domain.errors import InvalidInputError
from daftray.domain.metrics import (
    CounterTotal,
    RunMetrics,
    Unpriced,
    summarise,
)
from daftray.domain.price import MOST_PRICES, Price, PriceTable, PriceTableRequest, in_force


def a_table(*prices: Price, version: int = 1, seconds: float = 0) -> PriceTable:
    return PriceTable(version=version, prices=prices, created_by="key_1", created_at=at(seconds))


def calls(
    model: str | None = "gpt-4o",
    *,
    requests: float = 0,
    failed: float = 0,
    tokens_in: float = 0,
    tokens_out: float = 0,
    provider: str | None = "openai",
) -> list[CounterTotal]:
    names = {"gen_ai.request.model": model, "gen_ai.provider.name": provider}
    known = {name: value for name, value in names.items() if value is not None}
    parts = [
        ("daftray.requests", {"daftray.outcome": "ok"}, requests),
        ("daftray.requests", {"daftray.outcome": "error"}, failed),
        ("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}, tokens_in),
        ("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}, tokens_out),
    ]
    return [
        CounterTotal(metric=metric, attributes={**known, **extra}, value=value)
        for metric, extra, value in parts
        if value
    ]


def cost_of(table: PriceTable | None, *totals: list[CounterTotal]) -> RunMetrics:
    return priced(summarise([total for some in totals for total in some]), table)


GPT = Price(model="gpt-4o*", per_million_tokens_in=2.5, per_million_tokens_out=10)


def test_tokens_and_requests_are_charged_by_the_first_price_that_fits() -> None:
    by_image = Price(model="image-?", per_request=0.04)
    table = a_table(GPT, by_image, Price(model="*", per_request=100), version=7)
    found = cost_of(
        table,
        calls("gpt-4o-mini", requests=3, tokens_in=2_000_000, tokens_out=100_000),
        calls("image-2", requests=5),
    )
    assert (found.cost, found.cost_at_least, found.price_version) == (6.2, 6.2, 7)
    assert {line.name: line.cost for line in found.by_model} == {"gpt-4o-mini": 6.0, "image-2": 0.2}
    assert found.cost_missing == ()
    assert found.summary().cost == 6.2


def test_a_model_without_a_price_makes_the_cost_unknown_and_is_named() -> None:
    found = cost_of(a_table(GPT), calls(tokens_in=1_000_000), calls("llama", tokens_in=5, provider=None))
    assert (found.cost, found.cost_at_least) == (None, 2.5)
    assert found.cost_missing == (Unpriced(why="no price", model="llama"),)
    assert found.summary().cost is None
    assert found.summary().cost_at_least == 2.5


def test_without_prices_nothing_is_free() -> None:
    found = cost_of(None, calls(requests=1, tokens_in=1))
    assert (found.cost, found.cost_at_least, found.price_version) == (None, None, None)
    assert found.cost_missing == (Unpriced(why="no price", model="gpt-4o", provider="openai"),)


def test_without_usage_the_cost_is_unknown_and_nothing_is_missing() -> None:
    found = cost_of(a_table(GPT))
    assert (found.cost, found.cost_at_least, found.cost_missing) == (None, None, ())


def test_answers_without_tokens_are_not_free_where_tokens_are_charged_for() -> None:
    """A stream of which nobody asked the usage: requests are known, tokens are not."""
    found = cost_of(a_table(GPT), calls(requests=4))
    assert found.cost is None
    assert found.cost_missing == (Unpriced(why="tokens unknown", model="gpt-4o", provider="openai"),)


def test_requests_that_failed_cost_nothing_and_hide_nothing() -> None:
    assert cost_of(a_table(GPT), calls(failed=4)).cost == 0
    found = cost_of(a_table(Price(model="*", per_request=0.5)), calls(requests=3, failed=2))
    assert (found.cost, found.by_model[0].failed) == (1.5, 2)


def test_usage_of_no_model_is_missing() -> None:
    found = cost_of(a_table(GPT), calls(tokens_in=1_000_000), calls(None, requests=2, provider=None))
    assert (found.cost, found.cost_missing) == (None, (Unpriced(why="no model named"),))


def test_a_price_may_be_of_one_provider() -> None:
    table = a_table(
        Price(model="gpt-4o", provider="azure", per_request=2), Price(model="gpt-4o", per_request=1)
    )
    found = cost_of(
        table,
        calls(requests=1, provider="azure"),
        calls(requests=1),
        calls("gpt-4o", requests=1, provider=None),
    )
    assert [(line.provider, line.cost) for line in found.by_model] == [(None, 1), ("azure", 2), ("openai", 1)]


@pytest.mark.parametrize(
    ("pattern", "model", "fits"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("GPT-4o", "gpt-4o", False),
        ("meta/*", "meta/llama-3/70b", True),
        ("m[1]", "m[1]", True),
        ("m[1]", "m1", False),
        ("gpt-?", "gpt-5", True),
        ("*", "", True),
    ],
)
def test_what_a_pattern_fits(pattern: str, model: str, *, fits: bool) -> None:
    assert Price(model=pattern, per_request=1).fits(model, None) is fits


def test_prices_that_cannot_be_meant_are_refused_with_their_places() -> None:
    prices = [Price(model="a"), GPT, Price(model="b", per_request=math.nan, per_million_tokens_in=1)]
    with pytest.raises(InvalidInputError) as refused:
        PriceTableRequest(prices=prices).check()
    assert [issue.path for issue in refused.value.issues] == ["prices[0]", "prices[2].per_request"]
    with pytest.raises(InvalidInputError):
        PriceTableRequest(prices=[GPT] * (MOST_PRICES + 1)).check()
    PriceTableRequest(prices=[GPT] * MOST_PRICES).check()
    PriceTableRequest(prices=[]).check()


def test_the_version_in_force_is_the_newest_from_before_or_else_the_first() -> None:
    first, second = a_table(version=1, seconds=10), a_table(version=2, seconds=20)
    assert in_force([], NOW) is None
    times = (0, 10, 19, 20, 99)
    assert [in_force([second, first], at(seconds)) for seconds in times] == [
        first,
        first,
        first,
        second,
        second,
    ]


@given(
    used=st.lists(st.tuples(st.sampled_from("abc"), *(st.integers(0, 10**9) for _ in range(4))), max_size=8),
    prices=st.lists(
        st.tuples(st.sampled_from(["a", "b", "?", "z"]), *(st.integers(0, 100) for _ in range(3))), max_size=4
    ),
)
def test_a_cost_is_the_sum_of_its_parts_or_unknown(
    used: list[tuple[str, int, int, int, int]], prices: list[tuple[str, int, int, int]]
) -> None:
    table = a_table(
        *(
            Price(model=model, per_million_tokens_in=a, per_million_tokens_out=b, per_request=c)
            for model, a, b, c in prices
        )
    )
    found = cost_of(
        table,
        *(
            calls(model, requests=ok, failed=bad, tokens_in=tin, tokens_out=tout)
            for model, ok, bad, tin, tout in used
        ),
    )
    costs = [line.cost for line in found.by_model if line.cost is not None]
    assert (found.cost is None) == (bool(found.cost_missing) or not costs)
    assert math.isclose(found.cost_at_least or 0, sum(costs), rel_tol=1e-9, abs_tol=1e-8)
    assert len(costs) + len(found.cost_missing) == len(found.by_model)
