"""Counters in OpenTelemetry's protocol (OTLP/HTTP, JSON encoding: 64-bit integers are strings in it)."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Series = tuple[str, tuple[tuple[str, str], ...]]

SCOPE = "daftray.runner"
_CUMULATIVE = 2
"""``AGGREGATION_TEMPORALITY_CUMULATIVE``."""
_LARGEST_INT = 2**63 - 1


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
    text = json.dumps(message, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode(errors="replace")  # an attribute may hold half a surrogate pair, which is no Unicode


def _attributes(pairs: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs]
