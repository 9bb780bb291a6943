"""What a run's figures do not say by themselves: why one is missing, and how much of the budget is used."""

from __future__ import annotations

import msgspec

from daftray.domain.metrics import RunMetrics
from daftray.domain.run import Run


class BudgetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A bound of a run's budget, and what is used of it; nothing used is known where nothing was told."""

    name: str
    most: float
    used: float | None

    @property
    def percent(self) -> float:
        """How much of it is used, which may be more than all."""
        return (self.used or 0) / self.most * 100


def budget_lines(run: Run, metrics: RunMetrics) -> list[BudgetLine]:
    """Return the bounds of a run's budget. Dollars count what the project's prices know."""
    if run.budget is None:
        return []
    tokens = [part for part in (metrics.tokens_in, metrics.tokens_out) if part is not None]
    bounds = (
        ("Tokens", run.budget.tokens, sum(tokens) if tokens else None),
        ("Requests", run.budget.requests, metrics.requests),
        ("Dollars", run.budget.usd, metrics.cost_at_least),
    )
    return [BudgetLine(name=name, most=most, used=used) for name, most, used in bounds if most is not None]


def why_unknown(run: Run, metrics: RunMetrics) -> dict[str, str]:
    """Return, for each figure that is unknown, why it is."""
    missing = [name for name in ("requests", "tokens_in", "tokens_out") if getattr(metrics, name) is None]
    found = {name: _of_calls(run, metrics, name) for name in missing}
    if metrics.cpu_seconds.allocated is None:
        found["cpu_seconds"] = _unreported(run, "no process has told its CPU time")
    if metrics.cost is None:
        found["cost"] = _of_cost(run, metrics)
    return found


def _of_calls(run: Run, metrics: RunMetrics, name: str) -> str:
    if name != "requests" and metrics.requests:
        return "the models' answers told none"
    return _unreported(run, "no call of a model was counted")


def _of_cost(run: Run, metrics: RunMetrics) -> str:
    if metrics.price_version is None:
        return "the project has no prices"
    if metrics.cost_missing:
        return "some usage has no price, see below"
    return _unreported(run, "no call of a model was counted")


def _unreported(run: Run, what: str) -> str:
    if not run.attempts:
        return "it ended before it began" if run.status.terminal else "it has not begun"
    return what if run.status.terminal else f"{what} yet"
