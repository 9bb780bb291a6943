"""Counting, and how counts travel."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain import counters as domain
from daftray.metrics import otlp as server
from daftray.runner import counters as module
from daftray.runner import names, otlp, report
from daftray.runner.counters import Counters


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Counters:
    """Counters that the public functions count into."""
    made = Counters(lambda: None)
    monkeypatch.setattr(report._Process, "counters", made)
    return made


def test_both_sides_agree_on_names() -> None:
    shared = [name for name in vars(names) if name.isupper() and hasattr(domain, name)]

    assert {name: getattr(names, name) for name in shared} == {name: getattr(domain, name) for name in shared}
    assert len(shared) == 10


def test_increments_add_up_by_name_and_attributes(counters: Counters) -> None:
    report.increment("rows")
    report.increment("rows", 2)
    report.increment("rows", 0.5, kind="a", part=1)
    report.increment("rows", part=1, kind="a")

    assert counters.read() == {
        ("daftray.user.rows", ()): 3,
        ("daftray.user.rows", (("kind", "a"), ("part", "1"))): 1.5,
    }


@pytest.mark.parametrize("amount", [-1, -0.5, float("nan"), float("inf")])
def test_counters_only_grow(counters: Counters, amount: float) -> None:
    with pytest.raises(ValueError, match="rows can only grow"):
        report.increment("rows", amount)
    with pytest.raises(ValueError, match="tokens_in can only grow"):
        report.record_usage(tokens_in=amount)

    assert counters.read() == {}


def test_a_number_of_numpys_is_a_number(counters: Counters) -> None:
    """An int32 of theirs would overflow where Python's does not."""
    report.increment("rows", np.int32(2**31 - 1))  # type: ignore[arg-type] (numpy's scalars are no floats to a checker)
    report.increment("rows", np.int32(2**31 - 1))  # type: ignore[arg-type]

    (value,) = counters.read().values()
    assert (type(value), value) == (int, 2**32 - 2)


def test_usage_is_by_model_and_what_is_unknown_is_not_zero(counters: Counters) -> None:
    report.record_usage(model="m", provider="p", tokens_in=5, operation="chat", udf="f", extra=None)

    attributes = (("daftray.udf", "f"), ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "p"))
    assert counters.read() == {
        (names.REQUESTS, (*attributes, (names.MODEL, "m"))): 1,
        (names.TOKENS, (*attributes, (names.MODEL, "m"), (names.TOKEN_TYPE, "input"))): 5,
    }


def test_outside_a_run_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report._Process, "counters", None)

    report.increment("rows")
    report.record_usage(tokens_in=1)


def test_attributes_of_any_kind_and_size_count(counters: Counters) -> None:
    report.increment("rows", where=["a", {}])
    report.increment("rows", where=["a", {}])
    report.increment("rows", text="x" * 10_000)
    report.increment("n" * 10_000)

    assert sorted((len(name), value) for (name, _), value in counters.read().items()) == [
        (len("daftray.user.rows"), 1),
        (len("daftray.user.rows"), 2),
        (len("daftray.user.") + module.LONGEST_TEXT, 1),
    ]


def test_too_many_combinations_are_folded_and_none_is_lost(
    counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SERIES", 10)

    for number in range(100):
        report.increment("rows", row=number)
        report.increment(f"counter {number}")

    read = counters.read()
    assert sum(read.values()) == 200
    assert len(read) <= 3 * 10 + 1
    assert read[("daftray.user.rows", (("otel.metric.overflow", "true"),))] > 0


def test_threads_lose_no_count(counters: Counters) -> None:
    def work() -> None:
        for _ in range(2000):
            report.increment("rows", kind="a")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(counters.read().values()) == [16_000]


def test_counting_from_within_counting_does_not_hang(counters: Counters) -> None:
    """As a signal handler or a finalizer does, which Python runs in the middle of anything."""

    class Counts:
        def __str__(self) -> str:
            report.increment("inner")
            return "counts"

    report.increment("outer", value=Counts())

    assert counters.read()[("daftray.user.inner", ())] >= 1


def test_the_first_count_after_a_reading_wakes_the_exporter() -> None:
    woken: list[bool] = []
    counters = Counters(lambda: woken.append(True))

    for _ in range(3):
        counters.add("m", 1, ())
    counters.read()
    counters.add("m", 1, ())

    assert len(woken) == 2


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
SERIES = st.tuples(
    TEXT, st.dictionaries(TEXT, TEXT, max_size=3).map(lambda each: tuple(sorted(each.items())))
)
VALUES = st.integers(0, 2**70) | st.floats(0, allow_infinity=False)


@given(st.dictionaries(SERIES, VALUES))
def test_the_server_reads_what_the_runner_writes(values: dict[Any, float]) -> None:
    resource = {"daftray.process": "host-1-2", "daftray.run_id": "run_01"}

    body = otlp.encode(values, resource=resource, start_ns=1, now_ns=2)

    read = {(each.metric, tuple(sorted(each.attributes.items()))): each.value for each in server.read(body)}
    assert read == {key: float(value) for key, value in values.items()}


def test_a_report_has_the_shape_of_the_protocol() -> None:
    """By opentelemetry-proto's JSON mapping: 64-bit integers are strings, field names are in camel case."""
    body = otlp.encode({("m", (("k", "v"),)): 3, ("f", ()): 0.5}, resource={"r": "x"}, start_ns=1, now_ns=2)

    times = {"startTimeUnixNano": "1", "timeUnixNano": "2"}

    def metric(name: str, point: dict[str, object]) -> dict[str, object]:
        sums = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{**times, **point}]}
        return {"name": name, "sum": sums}

    assert json.loads(body) == {
        "resourceMetrics": [
            {
                "resource": {"attributes": [{"key": "r", "value": {"stringValue": "x"}}]},
                "scopeMetrics": [
                    {
                        "scope": {"name": "daftray.runner"},
                        "metrics": [
                            metric(
                                "m",
                                {"attributes": [{"key": "k", "value": {"stringValue": "v"}}], "asInt": "3"},
                            ),
                            metric("f", {"attributes": [], "asDouble": 0.5}),
                        ],
                    }
                ],
            }
        ]
    }
