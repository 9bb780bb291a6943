"""Counters that come by OTLP: the runner's own, and those of whatever else a run's code has switched on.

The runner sends cumulative monotonic sums. Other exporters' numbers are kept under `FOREIGN_PREFIX`, with the
library that measured them as an attribute: what of them counts is decided where all of a run's counters are
together (`daftray.domain.foreign_usage`). Gauges, sums that go down and most histograms are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import msgspec

from daftray.domain.counters import FAILED, OUTCOME, REQUESTS, SUCCEEDED, TOKENS, Counter
from daftray.domain.errors import InvalidInputError
from daftray.domain.foreign_usage import DURATION, ERROR_TYPE, FOREIGN_PREFIX, SCOPE
from daftray.metrics.otlp_wire import (
    LONGEST_TEXT,
    KeyValue,
    Resource,
    Scope,
    attributes,
    decode,
    process_of,
    process_or_guess,
)

RUNNER_SCOPE = "daftray.runner"
_DELTA = 1
_CUMULATIVE = 2
_MOST_POINTS = 10_000


class _Point(msgspec.Struct, frozen=True, rename="camel"):
    attributes: list[KeyValue] = []
    start_time_unix_nano: int | str = 0
    time_unix_nano: int | str = 0
    as_int: int | str | None = None
    as_double: float | str | None = None

    def number(self) -> float:
        """Return the count. Raises `ValueError`, `OverflowError` where it is none."""
        return float(self.as_double if self.as_double is not None else self.as_int or 0)


class _HistogramPoint(msgspec.Struct, frozen=True, rename="camel"):
    attributes: list[KeyValue] = []
    start_time_unix_nano: int | str = 0
    time_unix_nano: int | str = 0
    count: int | str = 0
    sum: float | str | None = None


class _Sum(msgspec.Struct, frozen=True, rename="camel"):
    data_points: list[_Point] = []
    aggregation_temporality: int = 0
    is_monotonic: bool = False


class _Histogram(msgspec.Struct, frozen=True, rename="camel"):
    data_points: list[_HistogramPoint] = []
    aggregation_temporality: int = 0


class _Metric(msgspec.Struct, frozen=True, rename="camel"):
    name: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
    sum: _Sum | None = None
    histogram: _Histogram | None = None
    exponential_histogram: _Histogram | None = None


class _ScopeMetrics(msgspec.Struct, frozen=True):
    scope: Scope = Scope()
    metrics: list[_Metric] = []


class _ResourceMetrics(msgspec.Struct, frozen=True, rename="camel"):
    resource: Resource = Resource()
    scope_metrics: list[_ScopeMetrics] = []


class ExportMetricsServiceRequest(msgspec.Struct, frozen=True, rename="camel"):
    """What a client posts to ``/v1/metrics``."""

    resource_metrics: list[_ResourceMetrics] = []


def read(body: bytes, content_type: str | None = None) -> list[Counter]:
    """Return the counters of an ``ExportMetricsServiceRequest``, in JSON (unless said otherwise) or protobuf.

    Raises:
        InvalidInputError: it is not one, or holds more points than a report may.
    """
    export = decode(body, content_type, ExportMetricsServiceRequest)
    counters: list[Counter] = []
    try:
        for part in export.resource_metrics:
            process = process_of(part.resource)
            for scope in part.scope_metrics:
                ours = process is not None and scope.scope.name in {"", RUNNER_SCOPE}
                counters += _own(process or "", scope) if ours else _foreign(part.resource, scope)
                if len(counters) > _MOST_POINTS:
                    raise InvalidInputError(f"Send at most {_MOST_POINTS} points in one report.")
    except (ValueError, OverflowError) as exc:
        raise InvalidInputError(f"A point of the report cannot be read: {exc}") from exc
    return counters


def _own(process: str, scope: _ScopeMetrics) -> Iterator[Counter]:
    for metric in scope.metrics:
        if metric.sum is None or not metric.sum.is_monotonic:
            continue
        if metric.sum.aggregation_temporality != _CUMULATIVE:
            continue
        for point in metric.sum.data_points:
            value = point.number()
            if not _is_count(value):
                raise ValueError(f"{value} is no count: it must be finite, and 0 or more")
            told = attributes(point.attributes)
            yield Counter(process=process, metric=metric.name, attributes=told, value=value)


def _foreign(resource: Resource, scope: _ScopeMetrics) -> Iterator[Counter]:
    """Yield what counts. A point that is no count is passed over: nobody meant it for daftray."""
    if scope.scope.name == RUNNER_SCOPE:
        return  # a runner names its process
    process = process_or_guess(resource)
    library = {SCOPE: scope.scope.name[:LONGEST_TEXT]}
    for metric in scope.metrics:
        for name, temporality, point, value in _counts(metric):
            told = attributes(point.attributes)
            if name == REQUESTS:
                told[OUTCOME] = FAILED if ERROR_TYPE in told else SUCCEEDED
            place = _place(process, temporality, point)
            if value > 0 and _is_count(value) and place is not None:
                yield Counter(
                    process=place, metric=FOREIGN_PREFIX + name, attributes={**told, **library}, value=value
                )


def _counts(metric: _Metric) -> Iterator[tuple[str, int, _Point | _HistogramPoint, float]]:
    """Yield each count of a metric: its name, how it adds up, its point and value."""
    if metric.sum is not None and metric.sum.is_monotonic:
        for point in metric.sum.data_points:
            yield metric.name, metric.sum.aggregation_temporality, point, point.number()
    histogram = metric.histogram or metric.exponential_histogram
    if histogram is None or metric.name not in {TOKENS, DURATION}:
        return
    for point in histogram.data_points:
        if metric.name == TOKENS and point.sum is not None:
            yield TOKENS, histogram.aggregation_temporality, point, float(point.sum)
        elif metric.name == DURATION:
            yield REQUESTS, histogram.aggregation_temporality, point, float(point.count)


def _place(process: str, temporality: int, point: _Point | _HistogramPoint) -> str | None:
    """Return what the point's value is the greatest of, if that can be said.

    A cumulative count grows from its start on, so a process that begins anew under the same name does not
    hide the one before. A delta is a count of its own: the same one sent again lands on itself.
    """
    start, end = int(point.start_time_unix_nano), int(point.time_unix_nano)
    if temporality == _CUMULATIVE:
        return f"otlp/{process}/{start}"
    if temporality == _DELTA and end:
        return f"otlp/{process}/{start}-{end}"
    return None


def _is_count(value: float) -> bool:
    return math.isfinite(value) and value >= 0
