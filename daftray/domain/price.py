"""What models cost: a project's price table, of which every change is a version of its own.

Prices are in US dollars. A table never changes once it is kept, so that a cost can be worked out again from
the version that it names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError

MOST_PRICES = 1000
"""Prices of one table."""
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_AMOUNTS = ("per_million_tokens_in", "per_million_tokens_out", "per_request")


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What the models of a pattern cost; what is not given is not charged for.

    ``model`` may hold the wildcards ``*`` and ``?``, and is compared with the name that the model was asked
    for by. ``provider`` narrows it to one provider.
    """

    model: Pattern
    provider: Pattern | None = None
    per_million_tokens_in: Dollars | None = None
    per_million_tokens_out: Dollars | None = None
    per_request: Dollars | None = None

    @property
    def by_tokens(self) -> bool:
        """Whether tokens are charged for."""
        return self.per_million_tokens_in is not None or self.per_million_tokens_out is not None

    def fits(self, model: str, provider: str | None) -> bool:
        """Tell whether this is the price of a model."""
        if self.provider is not None and self.provider != provider:
            return False
        # A bracket is part of a name, and no wildcard.
        return fnmatchcase(model, self.model.replace("[", "[[]"))


class PriceTableRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a call that sets a project's prices. ``note`` says why, for people."""

    prices: list[Price]
    note: Annotated[str, msgspec.Meta(max_length=1000)] | None = None

    def check(self) -> None:
        """Refuse a table that cannot be meant. Raises `InvalidInputError` with every issue and its path."""
        issues = [issue for number, price in enumerate(self.prices) for issue in _issues(number, price)]
        if len(self.prices) > MOST_PRICES:
            issues = [InputIssue(path="prices", message=f"give at most {MOST_PRICES}")]
        if issues:
            raise InvalidInputError("The prices cannot be kept as given.", issues=tuple(issues))


class PriceTable(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a project's prices. The first price that fits a model is the model's."""

    version: int
    prices: tuple[Price, ...]
    note: str | None = None
    created_by: str
    created_at: datetime

    def price_of(self, model: str, provider: str | None) -> Price | None:
        """Return the price of a model, if it has one."""
        return next((price for price in self.prices if price.fits(model, provider)), None)


def in_force(versions: Sequence[PriceTable], at: datetime) -> PriceTable | None:
    """Return the version that counts for a run of that time: the newest from before, or else the first one.

    So a run from before there were any prices is priced by the first ones.
    """
    before = [table for table in versions if table.created_at <= at]
    if before:
        return max(before, key=lambda table: table.version)
    return min(versions, key=lambda table: table.version, default=None)


def _issues(number: int, price: Price) -> list[InputIssue]:
    path = f"prices[{number}]"
    amounts = {name: getattr(price, name) for name in _AMOUNTS}
    if all(amount is None for amount in amounts.values()):
        message = f"give at least one of {', '.join(_AMOUNTS)}; 0 is a price, too"
        return [InputIssue(path=path, message=message)]
    return [
        InputIssue(path=f"{path}.{name}", message="give a finite number of dollars")
        for name, amount in amounts.items()
        if amount is not None and not math.isfinite(amount)
    ]
