"""What a run's usage costs by its project's prices. What has no price is named, and never taken for free."""

from __future__ import annotations

import math

from msgspec.structs import replace

from daftray.domain.metrics import RunMetrics, Unpriced, UsageLine
from daftray.domain.price import Price, PriceTable

_MILLION = 1_000_000
_DIGITS = 9
"""Decimals of a dollar that are kept: below them is only what sums of binary fractions leave over."""


def priced(metrics: RunMetrics, table: PriceTable | None) -> RunMetrics:
    """Return metrics with what they cost by a version of the prices, each model's own cost included.

    ``cost`` stays unknown where a part of the usage has no price, and where no model was used at all;
    ``cost_at_least`` is the sum of the parts that have one.
    """
    lines: list[UsageLine] = []
    missing = list(_without_model(metrics))
    for line in metrics.by_model:
        price = table.price_of(line.name, line.provider) if table else None
        why = _why_unpriced(line, price)
        if why is not None:
            missing.append(Unpriced(model=line.name, provider=line.provider, why=why))
        lines.append(replace(line, cost=_cost(line, price) if price and not why else None))
    costs = [line.cost for line in lines if line.cost is not None]
    at_least = round(math.fsum(costs), _DIGITS) if costs else None
    return replace(
        metrics,
        by_model=tuple(lines),
        cost=None if missing else at_least,
        cost_at_least=at_least,
        cost_missing=tuple(missing),
        price_version=table.version if table else None,
    )


def _why_unpriced(line: UsageLine, price: Price | None) -> str | None:
    if price is None:
        return "no price"
    answered = (line.requests or 0) - (line.failed or 0)
    if price.by_tokens and answered > 0 and line.tokens_in is None and line.tokens_out is None:
        return "tokens unknown"
    return None


def _cost(line: UsageLine, price: Price) -> float:
    """Return dollars. A request that failed is not charged for; tokens that it was said to use are."""
    tokens_in = (line.tokens_in or 0) * (price.per_million_tokens_in or 0) / _MILLION
    tokens_out = (line.tokens_out or 0) * (price.per_million_tokens_out or 0) / _MILLION
    requests = max(0.0, (line.requests or 0) - (line.failed or 0)) * (price.per_request or 0)
    return round(math.fsum((tokens_in, tokens_out, requests)), _DIGITS)


def _without_model(metrics: RunMetrics) -> tuple[Unpriced, ...]:
    """Return that there is usage of which nobody said the model."""
    totals = (metrics.requests, metrics.tokens_in, metrics.tokens_out)
    lines = metrics.by_model
    named = (
        math.fsum(line.requests or 0 for line in lines),
        math.fsum(line.tokens_in or 0 for line in lines),
        math.fsum(line.tokens_out or 0 for line in lines),
    )
    if any((total or 0) > known for total, known in zip(totals, named, strict=True)):
        return (Unpriced(why="no model named"),)
    return ()
