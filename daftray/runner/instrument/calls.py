"""One call of a model, counted once whatever layers it passes."""

from __future__ import annotations

from contextvars import ContextVar

from daftray.runner import names, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pairs = tuple[tuple[str, str], ...]


class Call:
    """A call of a model by a client library: its requests by outcome, and the tokens its answers tell of.

    ``claimed`` is set when a layer above (Daft's AI functions) has told of the same call.
    """

    __slots__ = ("_counted", "_pairs", "claimed", "model")

    def __init__(self, *, model: str | None, provider: str, operation: str) -> None:
        self.model = model
        self.claimed = False
        self._pairs = attributes(model=model, provider=provider, operation=operation) + report.where()
        self._counted = {"input": 0, "output": 0}

    def for_answer(self) -> Call:
        """Return what counts the next answer: this call, or its like where it has counted one already."""
        if not any(self._counted.values()):
            return self
        again = Call.__new__(Call)
        again.model, again.claimed, again._pairs = self.model, self.claimed, self._pairs
        again._counted = {"input": 0, "output": 0}
        return again

    def request(self, outcome: str) -> None:
        """Count one request that was sent."""
        count(names.REQUESTS, 1, (*self._pairs, (names.OUTCOME, outcome)))

    def tokens(self, tokens_in: object, tokens_out: object) -> None:
        """Count the tokens that an answer tells of. A stream may tell the sum so far again and again."""
        for kind, told in (("input", tokens_in), ("output", tokens_out)):
            if isinstance(told, int) and told > self._counted[kind]:
                count(names.TOKENS, told - self._counted[kind], (*self._pairs, (names.TOKEN_TYPE, kind)))
                self._counted[kind] = told


in_flight: ContextVar[Call | None] = ContextVar("daftray_call", default=None)
"""The call that a client library is making in this context."""
last: ContextVar[Call | None] = ContextVar("daftray_last_call", default=None)
"""The call that a client library made last in this context: what a layer above tells of next is this one."""


def attributes(*, model: str | None, provider: str, operation: str) -> Pairs:
    """Return the attributes that every library's usage has, in one order, so that they meet in one series."""
    pairs = ((names.MODEL, model), (names.PROVIDER, provider), (names.OPERATION, operation))
    return tuple((name, value) for name, value in pairs if value)


def count(metric: str, amount: int, pairs: Pairs) -> None:
    """Add to the process's counters, if it has any."""
    counters = report.counters()
    if counters is not None:
        counters.add(metric, amount, pairs)
