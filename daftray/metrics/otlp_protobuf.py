"""OTLP's protobuf encoding, by the messages that OpenTelemetry publishes."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

_REQUESTS = {
    "ExportLogsServiceRequest": ExportLogsServiceRequest,
    "ExportMetricsServiceRequest": ExportMetricsServiceRequest,
}


def plain(body: bytes, request: str) -> dict[str, Any]:  # protobuf's JSON mapping is any JSON object
    """Return a request by its name in protobuf's JSON mapping: 64-bit integers are text, enums are numbers.

    Raises:
        ValueError: it is no such request.
    """
    try:
        message = _REQUESTS[request].FromString(body)
        return MessageToDict(message, use_integers_for_enums=True)
    except DecodeError as exc:
        raise ValueError(str(exc)) from exc
