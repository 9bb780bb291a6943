"""Counters become metrics: sums by dimension, and unknown is never zero."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.counters import (
    CPU_TIME,
    CUSTOM_PREFIX,
    MODEL,
    PROVIDER,
    REQUESTS,
    RESERVED_CPU,
    RESERVED_PARTIAL,
    TOKEN_TYPE,
    TOKENS,
    UDF,
    CounterTotal,
)
from daftray.domain.cpu_seconds import AttemptCpu, CpuSeconds
from daftray.domain.metrics import (
    CustomCounter,
    RunMetrics,
    UsageLine,
    UsageSummary,
    summarise,
)


def total(metric: str, value: float, attempt: int = 1, **attributes: str) -> CounterTotal:
    names = {"model": MODEL, "provider": PROVIDER, "type": TOKEN_TYPE, "udf": UDF}
    return CounterTotal(
        metric=metric,
        attributes={names.get(key, key): text for key, text in attributes.items()},
        value=value,
        attempt=attempt,
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
            total(CPU_TIME, 1.5, mode="user"),
            total(CPU_TIME, 0.5, mode="system"),
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


def test_counters_of_a_run_are_over_its_attempts() -> None:
    found = summarise([total(f"{CUSTOM_PREFIX}rows", 4), total(f"{CUSTOM_PREFIX}rows", 2, attempt=2)])
    assert found.custom == (CustomCounter(name="rows", attributes={}, value=6),)


def test_what_is_allocated_is_the_larger_attempt_by_attempt() -> None:
    found = summarise(
        [
            total(CPU_TIME, 3, mode="user"),
            total(CPU_TIME, 1, mode="system"),
            total(RESERVED_CPU, 10),
            total(CPU_TIME, 8, attempt=2),
            total(RESERVED_CPU, 5, attempt=2),
            total(RESERVED_PARTIAL, 1, attempt=2),
            total(CPU_TIME, 2, attempt=3),
        ]
    )
    assert found.cpu_seconds == CpuSeconds(allocated=20, used=14, reserved=15, source="both", partial=True)
    assert found.attempts == (
        AttemptCpu(attempt=1, cpu_seconds=CpuSeconds(allocated=10, used=4, reserved=10, source="reserved")),
        AttemptCpu(
            attempt=2, cpu_seconds=CpuSeconds(allocated=8, used=8, reserved=5, source="used", partial=True)
        ),
        AttemptCpu(attempt=3, cpu_seconds=CpuSeconds(allocated=2, used=2, source="used")),
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
