"""Counters become metrics: sums by dimension, and unknown is never zero."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.metrics import (
    CPU_TIME,
    CUSTOM_PREFIX,
    MODEL,
    PROVIDER,
    REQUESTS,
    TOKEN_TYPE,
    TOKENS,
    UDF,
    CounterTotal,
    CpuSeconds,
    CustomCounter,
    RunMetrics,
    UsageLine,
    UsageSummary,
    summarise,
)


def total(metric: str, value: float, **attributes: str) -> CounterTotal:
    names = {"model": MODEL, "provider": PROVIDER, "type": TOKEN_TYPE, "udf": UDF}
    return CounterTotal(
        metric=metric, attributes={names.get(key, key): text for key, text in attributes.items()}, value=value
    )


def test_nothing_reported_is_nothing_known() -> None:
    assert summarise([]) == RunMetrics()
    assert summarise([]).summary() == UsageSummary()


def test_zero_reported_is_zero() -> None:
    found = summarise([total(REQUESTS, 0), total(TOKENS, 0, type="output"), total(CPU_TIME, 0)])
    assert (found.requests, found.tokens_in, found.tokens_out) == (0, None, 0)
    assert found.cpu_seconds == CpuSeconds(allocated=0, used=0, source="used")


def test_usage_is_summed_by_model_and_by_udf() -> None:
    found = summarise(
        [
            total(REQUESTS, 3, model="m", provider="openai", udf="embed"),
            total(REQUESTS, 2, model="m", provider="openai", outcome="error"),
            total(TOKENS, 10, model="m", provider="openai", type="input", udf="embed"),
            total(TOKENS, 5, model="m", provider="openai", type="output"),
            total(TOKENS, 7, model="m", provider="vllm", type="input"),
            total(TOKENS, 1, model="a", type="cached"),
            total(REQUESTS, 1),
            total(CPU_TIME, 1.5, **{"cpu.mode": "user"}),
            total(CPU_TIME, 0.5, **{"cpu.mode": "system"}),
        ]
    )
    assert (found.requests, found.tokens_in, found.tokens_out) == (6, 17, 5)
    assert found.cpu_seconds.used == 2
    assert found.by_model == (
        UsageLine(name="a"),
        UsageLine(name="m", provider="openai", requests=5, tokens_in=10, tokens_out=5),
        UsageLine(name="m", provider="vllm", tokens_in=7),
    )
    assert found.by_udf == (UsageLine(name="embed", requests=3, tokens_in=10),)
    assert found.summary() == UsageSummary(requests=6, tokens_in=17, tokens_out=5, cpu_seconds=2)


def test_users_own_counters_come_under_their_own_names() -> None:
    found = summarise([total(f"{CUSTOM_PREFIX}rows.bad", 4, reason="empty"), total("other", 1)])
    assert found == RunMetrics(
        custom=(CustomCounter(name="rows.bad", attributes={"reason": "empty"}, value=4),)
    )


TOTALS = st.lists(
    st.builds(
        total,
        st.sampled_from([REQUESTS, TOKENS, CPU_TIME]),
        st.integers(0, 1000),
        model=st.sampled_from(["m", "n"]),
        type=st.sampled_from(["input", "output"]),
    ),
    max_size=12,
)


@given(TOTALS, st.randoms(use_true_random=False))
def test_the_order_of_totals_changes_nothing(totals: list[CounterTotal], chance: random.Random) -> None:
    shuffled = chance.sample(totals, len(totals))
    assert summarise(shuffled) == summarise(totals)


@given(TOTALS)
def test_the_models_add_up_to_the_whole(totals: list[CounterTotal]) -> None:
    found = summarise(totals)
    for field in ("requests", "tokens_in", "tokens_out"):
        parts = [value for line in found.by_model if (value := getattr(line, field)) is not None]
        assert getattr(found, field) == (sum(parts) if parts else None)
