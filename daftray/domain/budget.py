"""Whether a run has used more than it may."""

from __future__ import annotations

from daftray.domain.metrics import UsageSummary
from daftray.domain.spec import Budget


def overrun(budget: Budget | None, usage: UsageSummary | None) -> str | None:
    """Return what a run has used too much of and what it has used in all, for people; nothing if it has not.

    What is unknown of the usage counts for nothing: it cannot be said to be too much.
    """
    if budget is None or usage is None:
        return None
    tokens = [part for part in (usage.tokens_in, usage.tokens_out) if part is not None]
    figures = [
        ("tokens", budget.tokens, sum(tokens) if tokens else None),
        ("requests", budget.requests, usage.requests),
        ("usd", budget.usd, usage.cost_at_least),
    ]
    over = [
        f"{_words(used, unit)} of at most {_words(most, unit)}"
        for unit, most, used in figures
        if most is not None and used is not None and used > most
    ]
    if not over:
        return None
    in_all = [_words(used, unit) for unit, _, used in figures if used is not None]
    return f"The run has used {' and '.join(over)}: {', '.join(in_all)} in all."


def _words(amount: float, unit: str) -> str:
    if unit != "usd":
        return f"{amount:,.15g} {unit}"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.9f}".rstrip("0").rstrip(".")
