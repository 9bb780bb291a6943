"""Reads OpenTelemetry's metrics protocol (OTLP/HTTP, JSON encoding, opentelemetry-proto 1.x).

Only what the runner sends is read: cumulative monotonic sums. Anything else is passed over, since a user's
own OpenTelemetry code may send to the same address.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from daftray.domain.errors import InvalidInputError
from daftray.domain.metrics import Counter

PROCESS = "daftray.process"
"""The resource attribute that tells processes of a run apart."""
_CUMULATIVE = 2
_LONGEST = 256
_MOST_POINTS = 10_000
_MOST_ATTRIBUTES = 64


class _Value(msgspec.Struct, frozen=True, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | None = None
    bool_value: bool | None = None

    def text(self) -> str:
        for value in (self.string_value, self.int_value, self.double_value, self.bool_value):
            if value is not None:
                return str(value)[:_LONGEST]
        return ""


class _Attribute(msgspec.Struct, frozen=True):
    key: str
    value: _Value = _Value()


class _Point(msgspec.Struct, frozen=True, rename="camel"):
    attributes: list[_Attribute] = []
    as_int: int | str | None = None
    as_double: float | None = None

    def number(self) -> float:
        """Return the count. Raises `ValueError`, `OverflowError` where it is none."""
        count = float(self.as_double if self.as_double is not None else self.as_int or 0)
        if not 0 <= count < float("inf"):
            raise ValueError(f"{count} is no count: it must be finite, and 0 or more")
        return count


class _Sum(msgspec.Struct, frozen=True, rename="camel"):
    data_points: list[_Point] = []
    aggregation_temporality: int = 0
    is_monotonic: bool = False


class _Metric(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(max_length=_LONGEST)]
    sum: _Sum | None = None


class _Scope(msgspec.Struct, frozen=True):
    metrics: list[_Metric] = []


class _Resource(msgspec.Struct, frozen=True):
    attributes: list[_Attribute] = []


class _ResourceMetrics(msgspec.Struct, frozen=True, rename="camel"):
    resource: _Resource = _Resource()
    scope_metrics: list[_Scope] = []


class _Export(msgspec.Struct, frozen=True, rename="camel"):
    resource_metrics: list[_ResourceMetrics] = []


def read(body: bytes) -> list[Counter]:
    """Return the counters of an ``ExportMetricsServiceRequest``.

    Raises:
        InvalidInputError: it is not one, or holds more points than a report may.
    """
    try:
        export = msgspec.json.decode(body, type=_Export)
        counters = [counter for part in export.resource_metrics for counter in _counters(part)]
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as exc:
        raise InvalidInputError(f"This is no OTLP metrics request in JSON: {exc}") from exc
    if len(counters) > _MOST_POINTS:
        raise InvalidInputError(f"Send at most {_MOST_POINTS} points in one report.")
    return counters


def _counters(part: _ResourceMetrics) -> list[Counter]:
    process = next((item.value.text() for item in part.resource.attributes if item.key == PROCESS), None)
    if process is None:
        return []
    return [
        Counter(
            process=process,
            metric=metric.name,
            attributes={
                item.key[:_LONGEST]: item.value.text() for item in point.attributes[:_MOST_ATTRIBUTES]
            },
            value=point.number(),
        )
        for scope in part.scope_metrics
        for metric in scope.metrics
        if metric.sum and metric.sum.is_monotonic and metric.sum.aggregation_temporality == _CUMULATIVE
        for point in metric.sum.data_points
    ]
