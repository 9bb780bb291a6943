"""What a run used: requests, tokens, CPU seconds, and whatever else its code counts.

`None` means unknown, which is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

REQUESTS = "daftray.requests"
"""Calls of a model, by model, provider, operation and outcome."""
TOKENS = "gen_ai.client.token.usage"
"""Tokens by ``gen_ai.token.type`` (input or output). The name is OpenTelemetry's (GenAI conventions)."""
CPU_TIME = "process.cpu.time"
"""Seconds of CPU by process and ``cpu.mode``. The name is OpenTelemetry's (system conventions)."""
CUSTOM_PREFIX = "daftray.user."
"""What `daftray.increment` counts, before the user's own name."""

TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 (an attribute's name)
MODEL = "gen_ai.request.model"
PROVIDER = "gen_ai.provider.name"
OPERATION = "gen_ai.operation.name"
OUTCOME = "daftray.outcome"
UDF = "daftray.udf"


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """One cumulative count of one process: it only grows, so the greatest report is the true one."""

    process: str
    metric: str
    attributes: dict[str, str]
    value: float


class CounterTotal(msgspec.Struct, frozen=True, kw_only=True):
    """A count summed over a run's processes."""

    metric: str
    attributes: dict[str, str]
    value: float


class UsageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run's usage in one line, for lists."""

    requests: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    cpu_seconds: float | None = None
    cost: float | None = None


class CpuSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds of a run: ``used`` is measured in its processes, ``reserved`` is what Ray set aside.

    ``allocated`` is the larger of the known ones; ``source`` names which.
    """

    allocated: float | None = None
    used: float | None = None
    reserved: float | None = None
    source: str | None = None
    partial: bool = False


class UsageLine(msgspec.Struct, frozen=True, kw_only=True):
    """Usage by one value of a dimension (a model, a UDF)."""

    name: str
    provider: str | None = None
    requests: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None


class CustomCounter(msgspec.Struct, frozen=True, kw_only=True):
    """What the run's code counted by `daftray.increment`."""

    name: str
    attributes: dict[str, str]
    value: float


class RunMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of a run, as ``GET P/runs/{run}/metrics`` answers them."""

    cpu_seconds: CpuSeconds = CpuSeconds()
    requests: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    cost: float | None = None
    by_model: tuple[UsageLine, ...] = ()
    by_udf: tuple[UsageLine, ...] = ()
    custom: tuple[CustomCounter, ...] = ()

    def summary(self) -> UsageSummary:
        """Return the one line of it that lists show."""
        return UsageSummary(
            requests=self.requests,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cpu_seconds=self.cpu_seconds.allocated,
            cost=self.cost,
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
            tokens_in=_tokens(group, "input"),
            tokens_out=_tokens(group, "output"),
        )
        for (name, provider), group in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    )


def summarise(totals: Iterable[CounterTotal]) -> RunMetrics:
    """Fold the totals of a run's counters into its metrics."""
    known = list(totals)
    used = _sum(known, CPU_TIME)
    return RunMetrics(
        cpu_seconds=CpuSeconds(allocated=used, used=used, source="used" if used is not None else None),
        requests=_sum(known, REQUESTS),
        tokens_in=_tokens(known, "input"),
        tokens_out=_tokens(known, "output"),
        by_model=_lines(known, MODEL),
        by_udf=_lines(known, UDF),
        custom=tuple(
            CustomCounter(
                name=total.metric.removeprefix(CUSTOM_PREFIX), attributes=total.attributes, value=total.value
            )
            for total in known
            if total.metric.startswith(CUSTOM_PREFIX)
        ),
    )
