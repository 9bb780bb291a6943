"""Counters and problems in OpenTelemetry's protocol (OTLP/HTTP, as JSON, where 64-bit integers are texts)."""

from __future__ import annotations

import json

from daftray.runner import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daftray.runner.problems import Problem

    Series = tuple[str, tuple[tuple[str, str], ...]]

SCOPE = "daftray.runner"
_CUMULATIVE = 2
"""``AGGREGATION_TEMPORALITY_CUMULATIVE``."""
_LARGEST_INT = 2**63 - 1
_SEVERITY_ERROR = 17


def encode(
    values: Mapping[Series, float], *, resource: Mapping[str, str], start_ns: int, now_ns: int
) -> bytes:
    """Return the body of an export request that carries these cumulative counts."""
    metrics: dict[str, list[dict[str, object]]] = {}
    for (name, attributes), value in values.items():
        point: dict[str, object] = {
            "attributes": _attributes(attributes),
            "startTimeUnixNano": str(start_ns),
            "timeUnixNano": str(now_ns),
        }
        if isinstance(value, int) and value <= _LARGEST_INT:
            point["asInt"] = str(value)
        else:
            point["asDouble"] = float(value)
        metrics.setdefault(name, []).append(point)
    message = {
        "resourceMetrics": [
            {
                "resource": {"attributes": _attributes(resource.items())},
                "scopeMetrics": [
                    {
                        "scope": {"name": SCOPE},
                        "metrics": [
                            {
                                "name": name,
                                "sum": {
                                    "aggregationTemporality": _CUMULATIVE,
                                    "isMonotonic": True,
                                    "dataPoints": points,
                                },
                            }
                            for name, points in metrics.items()
                        ],
                    }
                ],
            }
        ]
    }
    return _text(message)


def encode_logs(problems: Iterable[tuple[Problem, int]], *, resource: Mapping[str, str]) -> bytes:
    """Return the body of an export request that carries these problems, each with its count so far."""
    records = [_record(problem, count) for problem, count in problems]
    message = {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes(resource.items())},
                "scopeLogs": [{"scope": {"name": SCOPE}, "logRecords": records}],
            }
        ]
    }
    return _text(message)


def _record(problem: Problem, count: int) -> dict[str, object]:
    texts = {
        "exception.type": problem.info["type"],
        "exception.message": problem.info["message"],
        "exception.stacktrace": problem.stacktrace,
        **({} if problem.udf is None else {names.UDF: problem.udf}),
        names.HANDLED: problem.handled,
        names.PROBLEM_KEY: problem.key,
        names.PROBLEM_FIRST: str(problem.first_ns),
        names.PROBLEM_INFO: json.dumps(problem.info, ensure_ascii=False),
        names.PROBLEM_SAMPLES: json.dumps(problem.samples, ensure_ascii=False),
    }
    return {
        "eventName": "exception",
        "severityNumber": _SEVERITY_ERROR,
        "timeUnixNano": str(problem.last_ns),
        "attributes": [
            *_attributes(texts.items()),
            {"key": names.PROBLEM_COUNT, "value": {"intValue": str(count)}},
        ],
    }


def _attributes(pairs: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs]


def _text(message: object) -> bytes:
    text = json.dumps(message, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode(errors="replace")  # a text may hold half a surrogate pair, which is no Unicode
