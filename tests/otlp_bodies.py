"""Bodies of OTLP requests as exporters send them: the same content in JSON and in protobuf."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

JSON = "application/json"
PROTOBUF = "application/x-protobuf"


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return [
        {"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}
        for key, value in attributes.items()
    ]


def logs(*records: dict[str, Any], scope: str = "test", **resource: Any) -> dict[str, Any]:
    part = {
        "resource": {"attributes": pairs(resource)},
        "scopeLogs": [{"scope": {"name": scope}, "logRecords": list(records)}],
    }
    return {"resourceLogs": [part]}


def metrics(*of: dict[str, Any], scope: str = "test", **resource: Any) -> dict[str, Any]:
    part = {
        "resource": {"attributes": pairs(resource)},
        "scopeMetrics": [{"scope": {"name": scope}, "metrics": list(of)}],
    }
    return {"resourceMetrics": [part]}


def a_point(*, start: int = 1, end: int = 2, attributes: dict[str, Any] | None = None, **value: Any) -> Any:
    """Return a point of a sum (``asInt="7"``) or of a histogram (``count="3", sum=20.0``)."""
    times = {"startTimeUnixNano": str(start), "timeUnixNano": str(end)}
    return {"attributes": pairs(attributes or {}), **times, **value}


def a_sum(name: str, *points: Any, temporality: int = 2, monotonic: bool = True) -> dict[str, Any]:
    sum_ = {"aggregationTemporality": temporality, "isMonotonic": monotonic, "dataPoints": list(points)}
    return {"name": name, "sum": sum_}


def a_histogram(name: str, *points: Any, temporality: int = 2, kind: str = "histogram") -> dict[str, Any]:
    return {"name": name, kind: {"aggregationTemporality": temporality, "dataPoints": list(points)}}


def encoded(request: dict[str, Any], content_type: str) -> bytes:
    """Return a request's bytes. 64-bit integers must be text in it, as OTLP's JSON has them."""
    if content_type == JSON:
        return json.dumps(request).encode()
    kind = ExportLogsServiceRequest if "resourceLogs" in request else ExportMetricsServiceRequest
    return ParseDict(request, kind()).SerializeToString()
