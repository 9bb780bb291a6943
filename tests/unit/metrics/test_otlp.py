from __future__ import annotations

import json

import pytest

from daftray.domain.counters import Counter
from daftray.domain.errors import InvalidInputError
from daftray.metrics import otlp


def export(*metrics: dict[str, object], process: str | None = "host-1-2") -> bytes:
    attributes = [{"key": "daftray.process", "value": {"stringValue": process}}] if process else []
    return json.dumps(
        {
            "resourceMetrics": [
                {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": list(metrics)}]}
            ]
        }
    ).encode()


def cumulative(
    name: str, value: dict[str, object], *, temporality: int = 2, monotonic: bool = True
) -> dict[str, object]:
    point = {"attributes": [{"key": "gen_ai.request.model", "value": {"stringValue": "m"}}], **value}
    return {
        "name": name,
        "sum": {"aggregationTemporality": temporality, "isMonotonic": monotonic, "dataPoints": [point]},
    }


def test_a_cumulative_sum_becomes_a_counter() -> None:
    assert otlp.read(export(cumulative("daftray.requests", {"asInt": "7"}))) == [
        Counter(
            process="host-1-2", metric="daftray.requests", attributes={"gen_ai.request.model": "m"}, value=7
        )
    ]


def test_integers_come_as_text_or_number_and_doubles_as_number() -> None:
    read = otlp.read(
        export(
            cumulative("a", {"asInt": "7"}), cumulative("b", {"asInt": 8}), cumulative("c", {"asDouble": 1.5})
        )
    )
    assert [counter.value for counter in read] == [7, 8, 1.5]


@pytest.mark.parametrize(
    "passed_over",
    [
        cumulative("delta", {"asInt": 1}, temporality=1),
        cumulative("up and down", {"asInt": 1}, monotonic=False),
        {"name": "a gauge", "gauge": {"dataPoints": [{"asInt": 1}]}},
    ],
)
def test_what_is_no_cumulative_count_is_passed_over(passed_over: dict[str, object]) -> None:
    assert otlp.read(export(passed_over)) == []


def test_a_process_that_does_not_say_which_it_is_is_none_of_the_runners() -> None:
    (counter,) = otlp.read(export(cumulative("daftray.requests", {"asInt": 1}), process=None))
    assert counter.metric == "otlp.daftray.requests"


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b'{"resourceMetrics": 3}', b'{"resourceMetrics": [{"resource": 1}]}']
)
def test_what_is_no_export_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        otlp.read(body)


def test_a_report_is_bounded() -> None:
    with pytest.raises(InvalidInputError, match="at most"):
        otlp.read(export(*[cumulative("a", {"asInt": 1})] * 10_001))


@pytest.mark.parametrize(
    "value",
    [
        {"asInt": "nan"},
        {"asInt": "1e999"},
        {"asInt": "-1"},
        {"asDouble": -0.5},
        {"asInt": "x"},
        {"asInt": 10**400},
    ],
)
def test_what_is_no_count_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        otlp.read(export(cumulative("a", value)))


def test_a_report_nested_without_end_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        otlp.read(b'{"resourceMetrics":[{"x":' + b"[" * 100_000)


def test_attributes_are_bounded() -> None:
    many = [{"key": f"{n}" + "k" * 1000, "value": {"stringValue": "v"}} for n in range(1000)]
    metric = cumulative("a", {"asInt": 1, "attributes": many})
    (counter,) = otlp.read(export(metric))
    assert len(counter.attributes) <= 64
    assert max(len(key) for key in counter.attributes) <= 256
