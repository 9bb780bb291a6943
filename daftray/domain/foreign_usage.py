"""Usage that others measured: OpenTelemetry's instrumentations, and Daft's own exporter.

A call that the runner's hooks saw may be told of by an instrumentation of the user's as well, and by two of
them at once. What daftray counted itself for a provider, model and operation wins; others fill what it did
not see, and of several libraries that tell of the same the one that tells of most is taken.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from daftray.domain.counters import (
    MODEL,
    OPERATION,
    OUTCOME,
    PROVIDER,
    REQUESTS,
    TOKEN_TYPE,
    TOKENS,
    CounterTotal,
)

FOREIGN_PREFIX = "otlp."
"""Ahead of the name of every counter that does not come from daftray's runner."""
DURATION = "gen_ai.client.operation.duration"
"""A histogram of OpenTelemetry's GenAI conventions: how many it counts are the requests."""
ERROR_TYPE = "error.type"
SCOPE = "otel.scope.name"
"""The library that measured."""

_ANSWERING_MODEL = "gen_ai.response.model"
_OLD_PROVIDER = "gen_ai.system"
"""What the attribute was called before version 1.37 of the conventions."""
_FAMILIES = {
    "openai": "openai",
    "azure": "openai",
    "gemini": "google",
    "google": "google",
    "vertex": "google",
    "gcp": "google",
}
"""Providers by parts of the names that libraries have for them. OpenAI's client calls Azure, too."""
_TOKEN_TYPES = {"prompt": "input", "completion": "output"}


class _Call(msgspec.Struct, frozen=True):
    """What is told of calls. Anything may be left out, and then may be anything."""

    attempt: int
    measure: str
    provider: str | None
    model: str | None
    operation: str | None

    def may_be(self, other: _Call) -> bool:
        """Tell whether both may be of the same calls."""
        return (self.attempt, self.measure) == (other.attempt, other.measure) and all(
            mine is None or theirs is None or mine == theirs
            for mine, theirs in (
                (self.provider, other.provider),
                (self.model, other.model),
                (self.operation, other.operation),
            )
        )


_Telling = tuple[_Call, str, str]
"""What one library tells of one kind of calls: the calls, the model as it is shown, the library."""


def is_foreign(total: CounterTotal) -> bool:
    """Tell whether a count is not daftray's own."""
    return total.metric.startswith(FOREIGN_PREFIX)


def filled(totals: Iterable[CounterTotal]) -> list[CounterTotal]:
    """Return daftray's own counts, and with them the model usage of others that it did not see itself."""
    own: list[CounterTotal] = []
    told: dict[_Telling, list[CounterTotal]] = {}
    for total in totals:
        if not is_foreign(total):
            own.append(total)
        elif (usage := _as_usage(total)) is not None:
            # The model that answered has a more exact name than the one that was asked.
            call = _call(usage, model_asked=MODEL in total.attributes)
            key = (call, usage.attributes.get(MODEL, ""), total.attributes.get(SCOPE, ""))
            told.setdefault(key, []).append(usage)
    seen = {_call(total) for total in own if total.metric in {REQUESTS, TOKENS}}
    taken: list[_Telling] = []
    for telling in sorted(told, key=lambda one: (-sum(total.value for total in told[one]), repr(one))):
        call, _, library = telling
        if any(call.may_be(known) for known in seen):
            continue
        if any(call.may_be(known) for known, _, of in taken if of != library):
            continue
        taken.append(telling)
        own += told[telling]
    return own


def others(totals: Iterable[CounterTotal]) -> list[CounterTotal]:
    """Return the counts of others that are no model usage, Daft's operators for one, by their own names."""
    return [
        replace(total, metric=total.metric.removeprefix(FOREIGN_PREFIX))
        for total in totals
        if is_foreign(total) and _as_usage(total) is None
    ]


def _as_usage(total: CounterTotal) -> CounterTotal | None:
    """Return a foreign count under the names of daftray's own; nothing where it is no model usage."""
    metric, told = total.metric.removeprefix(FOREIGN_PREFIX), total.attributes
    token_type = told.get(TOKEN_TYPE, "")
    names = {
        MODEL: told.get(MODEL) or told.get(_ANSWERING_MODEL),
        PROVIDER: told.get(PROVIDER) or told.get(_OLD_PROVIDER),
        OPERATION: told.get(OPERATION),
    }
    if metric == REQUESTS:
        names[OUTCOME] = told.get(OUTCOME)
    elif metric == TOKENS:
        names[TOKEN_TYPE] = _TOKEN_TYPES.get(token_type, token_type)
    else:
        return None
    attributes = {key: value for key, value in names.items() if value}
    return CounterTotal(metric=metric, attributes=attributes, value=total.value, attempt=total.attempt)


def _call(total: CounterTotal, *, model_asked: bool = True) -> _Call:
    told = total.attributes
    operation = told.get(OPERATION)
    return _Call(
        attempt=total.attempt,
        measure=told.get(TOKEN_TYPE, "tokens") if total.metric == TOKENS else "requests",
        provider=_family(told.get(PROVIDER)),
        model=told.get(MODEL) if model_asked else None,
        operation=operation and ("embeddings" if "embed" in operation.lower() else "generation"),
    )


def _family(provider: str | None) -> str | None:
    """Return one name for the names of one provider."""
    if provider is None:
        return None
    name = provider.lower()
    return next((family for part, family in _FAMILIES.items() if part in name), name)
