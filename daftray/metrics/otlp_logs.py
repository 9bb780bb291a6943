"""Log records that come by OTLP: the runner's problems, and what other exporters tell of exceptions."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from daftray.domain.errors import InvalidInputError
from daftray.metrics.otlp_wire import AnyValue, KeyValue, Resource, Scope, decode, process_or_guess

_MOST_RECORDS = 2_000
_MOST_ATTRIBUTES = 128
_LONGEST_VALUE = 256 * 1024
"""Characters of a value: a stack trace or the JSON of an exception, not a data set."""


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record. ``process`` tells the processes of a run apart; ``at`` is the process's clock.

    Attributes keep their kind; lists and maps among them are left out.
    """

    process: str
    at: datetime
    event: str = ""
    """OTLP's ``eventName``; where the sender is older than that, its attribute ``event.name``."""
    severity: int = 0
    """1 to 24: 9 and above is information, 13 a warning, 17 an error."""
    body: str = ""
    scope: str = ""
    attributes: dict[str, str | int | float]

    def text(self, key: str) -> str | None:
        """Return an attribute as text, if it is there."""
        value = self.attributes.get(key)
        return None if value is None else str(value)

    def number(self, key: str) -> int | None:
        """Return an attribute as a whole number, if it is there and one."""
        try:
            return int(self.attributes[key])
        except (KeyError, ValueError, OverflowError):
            return None

    @property
    def digest(self) -> str:
        """A text that is the same for the same record, sent again: 32 hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:32]


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    severity_number: int = 0
    event_name: str = ""
    body: AnyValue = AnyValue()
    attributes: list[KeyValue] = []


class _ScopeLogs(msgspec.Struct, frozen=True, rename="camel"):
    scope: Scope = Scope()
    log_records: list[_Record] = []


class _ResourceLogs(msgspec.Struct, frozen=True, rename="camel"):
    resource: Resource = Resource()
    scope_logs: list[_ScopeLogs] = []


class ExportLogsServiceRequest(msgspec.Struct, frozen=True, rename="camel"):
    """What a client posts to ``/v1/logs``."""

    resource_logs: list[_ResourceLogs] = []


def read_logs(body: bytes, content_type: str | None = None) -> list[LogRecord]:
    """Return the records of an ``ExportLogsServiceRequest``, in JSON (unless said otherwise) or protobuf.

    Raises:
        InvalidInputError: it is not one, or holds more records than a report may.
    """
    export = decode(body, content_type, ExportLogsServiceRequest)
    count = sum(len(scope.log_records) for part in export.resource_logs for scope in part.scope_logs)
    if count > _MOST_RECORDS:
        raise InvalidInputError(f"Send at most {_MOST_RECORDS} log records in one report.")
    try:
        return [
            _log_record(process_or_guess(part.resource), logs.scope.name, record)
            for part in export.resource_logs
            for logs in part.scope_logs
            for record in logs.log_records
        ]
    except (ValueError, OverflowError) as exc:
        raise InvalidInputError(f"A log record cannot be read: {exc}") from exc


def _log_record(process: str, scope: str, record: _Record) -> LogRecord:
    attributes: dict[str, str | int | float] = {}
    for item in record.attributes[:_MOST_ATTRIBUTES]:
        value = item.value.plain()
        if value is not None:
            attributes[item.key] = value[:_LONGEST_VALUE] if isinstance(value, str) else value
    told_ns = int(record.time_unix_nano) or int(record.observed_time_unix_nano)
    return LogRecord(
        process=process,
        at=datetime.fromtimestamp(told_ns / 1e9, UTC),
        event=record.event_name or str(attributes.get("event.name", "")),
        severity=record.severity_number,
        body=record.body.text(_LONGEST_VALUE),
        scope=scope,
        attributes=attributes,
    )
