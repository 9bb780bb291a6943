"""What a run used: requests, tokens, CPU seconds, and whatever else its code counts.

`None` means unknown, which is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from daftray.domain import cpu_seconds
from daftray.domain.counters import (
    CUSTOM_PREFIX,
    FAILED,
    MODEL,
    OUTCOME,
    PROVIDER,
    REQUESTS,
    TOKEN_TYPE,
    TOKENS,
    UDF,
    CounterTotal,
)
from daftray.domain.cpu_seconds import AttemptCpu, CpuSeconds
from daftray.domain.foreign_usage import filled, others
from daftray.domain.series import Series

MOST_OTHERS = 500
"""Counters of other libraries that are shown of a run: the greatest."""


class UsageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run's usage in one line, for lists."""

    requests: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    cpu_seconds: float | None = None
    cost: float | None = None
    cost_at_least: float | None = None


class UsageLine(msgspec.Struct, frozen=True, kw_only=True):
    """Usage by one value of a dimension (a model, a UDF). ``failed`` are those of the requests that did.

    ``cost`` is in dollars, and of models only.
    """

    name: str
    provider: str | None = None
    requests: float | None = None
    failed: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    cost: float | None = None


class Unpriced(msgspec.Struct, frozen=True, kw_only=True):
    """Usage without a cost, and why: ``no price``, ``tokens unknown`` or ``no model named``."""

    why: str
    model: str | None = None
    provider: str | None = None


class CustomCounter(msgspec.Struct, frozen=True, kw_only=True):
    """What the run's code counted by `daftray.increment`, or what another library counted."""

    name: str
    attributes: dict[str, str]
    value: float


class RunMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of a run, as ``GET P/runs/{run}/metrics`` answers them.

    ``cost`` is in dollars by ``price_version`` of the project's prices, and unknown where something of
    ``cost_missing`` is; ``cost_at_least`` is what the rest costs. ``other`` is what Daft and libraries of the
    run's own sent by OpenTelemetry that is no model usage; nothing of it is in the other figures. ``series``
    is what had been used at which time.
    """

    cpu_seconds: CpuSeconds = CpuSeconds()
    requests: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    cost: float | None = None
    cost_at_least: float | None = None
    cost_missing: tuple[Unpriced, ...] = ()
    price_version: int | None = None
    by_model: tuple[UsageLine, ...] = ()
    by_udf: tuple[UsageLine, ...] = ()
    custom: tuple[CustomCounter, ...] = ()
    other: tuple[CustomCounter, ...] = ()
    attempts: tuple[AttemptCpu, ...] = ()
    series: Series = Series()

    def summary(self) -> UsageSummary:
        """Return the one line of it that lists show."""
        return UsageSummary(
            requests=self.requests,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cpu_seconds=self.cpu_seconds.allocated,
            cost=self.cost,
            cost_at_least=self.cost_at_least,
        )


def _sum(totals: Iterable[CounterTotal], metric: str) -> float | None:
    values = [total.value for total in totals if total.metric == metric]
    return sum(values) if values else None


def _tokens(totals: Iterable[CounterTotal], token_type: str) -> float | None:
    return _sum((total for total in totals if total.attributes.get(TOKEN_TYPE) == token_type), TOKENS)


def _lines(totals: list[CounterTotal], dimension: str) -> tuple[UsageLine, ...]:
    groups: dict[tuple[str, str | None], list[CounterTotal]] = {}
    for total in totals:
        name = total.attributes.get(dimension)
        if name is not None and total.metric in {REQUESTS, TOKENS}:
            provider = total.attributes.get(PROVIDER) if dimension == MODEL else None
            groups.setdefault((name, provider), []).append(total)
    return tuple(
        UsageLine(
            name=name,
            provider=provider,
            requests=_sum(group, REQUESTS),
            failed=_sum((total for total in group if total.attributes.get(OUTCOME) == FAILED), REQUESTS),
            tokens_in=_tokens(group, "input"),
            tokens_out=_tokens(group, "output"),
        )
        for (name, provider), group in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    )


def summarise(totals: Iterable[CounterTotal]) -> RunMetrics:
    """Fold the totals of a run's counters, attempt by attempt, into its metrics."""
    known = list(totals)
    usage = filled(known)
    attempts = cpu_seconds.of_attempts(usage)
    custom = [
        replace(total, metric=total.metric.removeprefix(CUSTOM_PREFIX))
        for total in usage
        if total.metric.startswith(CUSTOM_PREFIX)
    ]
    other = sorted(_counters(others(known)), key=lambda counter: -counter.value)[:MOST_OTHERS]
    return RunMetrics(
        cpu_seconds=cpu_seconds.over_attempts(attempts),
        requests=_sum(usage, REQUESTS),
        tokens_in=_tokens(usage, "input"),
        tokens_out=_tokens(usage, "output"),
        by_model=_lines(usage, MODEL),
        by_udf=_lines(usage, UDF),
        custom=tuple(_counters(custom)),
        other=tuple(sorted(other, key=lambda counter: counter.name)),
        attempts=attempts,
    )


def _counters(totals: Iterable[CounterTotal]) -> list[CustomCounter]:
    """Return counters over all attempts."""
    values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for total in totals:
        key = (total.metric, tuple(total.attributes.items()))
        values[key] = values.get(key, 0) + total.value
    return [
        CustomCounter(name=name, attributes=dict(pairs), value=value)
        for (name, pairs), value in values.items()
    ]
