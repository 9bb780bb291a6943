from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from otlp_bodies import JSON, PROTOBUF, encoded, logs, pairs

from daftray.domain.errors import InvalidInputError
from daftray.metrics.otlp_logs import LogRecord, read_logs

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
AT_NS = str(int(AT.timestamp()) * 10**9)


def a_record(**attributes: Any) -> dict[str, Any]:
    return {
        "timeUnixNano": AT_NS,
        "severityNumber": 17,
        "eventName": "exception",
        "body": {"stringValue": "it failed"},
        "attributes": pairs(attributes),
    }


@pytest.fixture(params=[JSON, PROTOBUF])
def content_type(request: pytest.FixtureRequest) -> str:
    return request.param


def read(request: dict[str, Any], content_type: str) -> list[LogRecord]:
    return read_logs(encoded(request, content_type), content_type)


def test_a_record_says_where_when_and_what(content_type: str) -> None:
    attributes: dict[str, str | int | float] = {"exception.type": "ValueError", "daftray.problem.count": 7}
    sent = logs(a_record(**attributes), scope="daftray.runner", **{"daftray.process": "host-1-2"})
    assert read(sent, content_type) == [
        LogRecord(
            process="host-1-2",
            at=AT,
            event="exception",
            severity=17,
            body="it failed",
            scope="daftray.runner",
            attributes=attributes,
        )
    ]


def test_attributes_are_had_as_text_and_as_numbers(content_type: str) -> None:
    (record,) = read(logs(a_record(count=7, text="x", number="8", flag=True, share=0.5)), content_type)
    assert [record.number(key) for key in ("count", "text", "number", "none")] == [7, None, 8, None]
    assert [record.text(key) for key in ("count", "text", "none")] == ["7", "x", None]
    assert (record.attributes["flag"], record.attributes["share"]) == (True, 0.5)


def test_lists_and_maps_are_left_out(content_type: str) -> None:
    record = a_record(kept="x")
    record["attributes"] += [
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "y"}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": []}}},
        {"key": "none", "value": {}},
    ]
    (found,) = read(logs(record), content_type)
    assert found.attributes == {"kept": "x"}


def test_the_same_record_has_the_same_digest_in_both_encodings_and_no_other_has_it() -> None:
    sent = [logs(a_record(**{"exception.message": text})) for text in ("one", "two")]
    digests = [read(request, kind)[0].digest for request in sent for kind in (JSON, PROTOBUF)]
    assert digests[0] == digests[1] != digests[2] == digests[3]


def test_processes_of_other_exporters_are_told_apart_by_what_they_say() -> None:
    told: list[dict[str, Any]] = [
        {"host.name": "a", "process.pid": 7},
        {"host.name": "a", "process.pid": 8},
        {"service.instance.id": "x"},
        {},
    ]
    processes = {read(logs(a_record(), **resource), JSON)[0].process for resource in told}
    assert len(processes) == 4


def test_older_senders_name_the_event_in_an_attribute_and_may_know_only_when_it_was_seen() -> None:
    record = {"observedTimeUnixNano": AT_NS, "attributes": pairs({"event.name": "exception"})}
    (found,) = read(logs(record), JSON)
    assert (found.event, found.at) == ("exception", AT)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", JSON),
        (b"[]", JSON),
        (b'{"resourceLogs": 3}', JSON),
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}', JSON),
        (
            b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"9999999999999999999999"}]}]}]}',
            JSON,
        ),
        (b"\xff\xff", PROTOBUF),
        (b"{}", PROTOBUF),
        (b"{}", "text/plain"),
        (b'{"resourceLogs":[{"x":' + b"[" * 100_000, JSON),
    ],
)
def test_what_is_no_export_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInputError):
        read_logs(body, content_type)


def test_a_report_is_bounded() -> None:
    with pytest.raises(InvalidInputError, match="at most"):
        read(logs(*[{}] * 2_001), JSON)
    (found,) = read(logs(a_record(long="x" * 300_000)), JSON)
    assert len(str(found.attributes["long"])) == 256 * 1024


def test_json_is_meant_where_nothing_is_said() -> None:
    assert read_logs(b"{}") == read_logs(b"{}", "application/json; charset=utf-8") == []
