"""What exporters other than the runner send to the same address: OpenTelemetry's SDKs, and Daft itself."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from otlp_bodies import JSON, PROTOBUF, a_histogram, a_point, a_sum, encoded, metrics

from daftray.domain.counters import CUSTOM_PREFIX, REQUESTS, TOKENS, Counter, CounterTotal
from daftray.domain.foreign_usage import DURATION
from daftray.domain.metrics import RunMetrics, UsageLine, summarise
from daftray.metrics import otlp

CHAT = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "m", "gen_ai.operation.name": "chat"}
SDK: dict[str, Any] = {"service.name": "job", "host.name": "h", "process.pid": 7}
OURS: dict[str, Any] = {"daftray.process": "h-7-1"}


@pytest.fixture(params=[JSON, PROTOBUF])
def content_type(request: pytest.FixtureRequest) -> str:
    return request.param


def folded(*requests: dict[str, Any], content_type: str = JSON) -> RunMetrics:
    """Return what a run has that sent these, in the server's way: the greatest of each, summed."""
    greatest: dict[tuple[str, str, str], Counter] = {}
    for request in requests:
        for counter in otlp.read(encoded(request, content_type), content_type):
            key = (counter.process, counter.metric, json.dumps(counter.attributes, sort_keys=True))
            if key not in greatest or greatest[key].value < counter.value:
                greatest[key] = counter
    return summarise(
        CounterTotal(metric=one.metric, attributes=one.attributes, value=one.value)
        for one in greatest.values()
    )


def instrumented(
    *, requests: int, tokens_in: int = 0, start: int = 1, end: int = 2, temporality: int = 2, **more: Any
) -> dict[str, Any]:
    """Return what an instrumentation of a client library sends after so many calls."""
    attributes = {**CHAT, **more.pop("attributes", {})}
    attributes = {key: value for key, value in attributes.items() if value is not None}
    points = {"start": start, "end": end}
    tokens = a_point(
        attributes={**attributes, "gen_ai.token.type": "input"},
        count=str(requests),
        sum=float(tokens_in),
        **points,
    )
    calls = a_point(attributes=attributes, count=str(requests), sum=1.5, **points)
    return metrics(
        a_histogram(TOKENS, tokens, temporality=temporality),
        a_histogram(DURATION, calls, temporality=temporality),
        **{"scope": "opentelemetry.instrumentation.openai", **SDK, **more},
    )


def hooked(requests: int, tokens_in: int | None, **attributes: Any) -> dict[str, Any]:
    """Return what the runner's own hooks send."""
    told = {key: value for key, value in {**CHAT, **attributes}.items() if value is not None}
    sums = [a_sum(REQUESTS, a_point(attributes={**told, "daftray.outcome": "ok"}, asInt=str(requests)))]
    if tokens_in is not None:
        point = a_point(attributes={**told, "gen_ai.token.type": "input"}, asInt=str(tokens_in))
        sums.append(a_sum(TOKENS, point))
    return metrics(*sums, scope="daftray.runner", **OURS)


def test_histograms_of_the_conventions_are_tokens_and_requests(content_type: str) -> None:
    found = folded(instrumented(requests=3, tokens_in=20), content_type=content_type)
    assert (found.requests, found.tokens_in, found.tokens_out) == (3, 20, None)
    assert found.by_model == (UsageLine(name="m", provider="openai", requests=3, tokens_in=20),)


def test_exponential_histograms_count_as_well() -> None:
    point = a_point(attributes={**CHAT, "gen_ai.token.type": "output"}, count="2", sum=9.0)
    found = folded(metrics(a_histogram(TOKENS, point, kind="exponentialHistogram"), **SDK))
    assert found.tokens_out == 9


def test_calls_that_failed_are_requests_that_failed() -> None:
    request = instrumented(requests=2, attributes={"error.type": "RateLimitError"})
    (line,) = folded(request).by_model
    assert (line.requests, line.failed) == (2, 2)


def test_what_the_hooks_counted_is_not_counted_again(content_type: str) -> None:
    found = folded(hooked(3, 20), instrumented(requests=3, tokens_in=20), content_type=content_type)
    assert (found.requests, found.tokens_in) == (3, 20)


def test_others_fill_what_the_hooks_did_not_see() -> None:
    found = folded(hooked(3, None), instrumented(requests=3, tokens_in=20))
    assert (found.requests, found.tokens_in) == (3, 20), "a stream without usage"
    other = {"gen_ai.request.model": "n"}
    found = folded(hooked(3, 20), instrumented(requests=2, tokens_in=5, attributes=other))
    assert (found.requests, found.tokens_in) == (5, 25), "another model"


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.provider.name": "azure.ai.openai"},
        {"gen_ai.provider.name": None, "gen_ai.system": "OpenAI"},
        {"gen_ai.provider.name": None},
        {"gen_ai.operation.name": "responses"},
        {"gen_ai.operation.name": None},
        {"gen_ai.request.model": None, "gen_ai.response.model": "m-2026-01-01"},
    ],
)
def test_the_same_calls_under_other_names_are_not_counted_again(attributes: dict[str, Any]) -> None:
    found = folded(hooked(3, 20), instrumented(requests=3, tokens_in=20, attributes=attributes))
    assert (found.requests, found.tokens_in) == (3, 20)


def test_two_libraries_that_tell_of_the_same_calls_count_once() -> None:
    one = instrumented(requests=3, tokens_in=20)
    two = instrumented(requests=3, tokens_in=21, scope="another", attributes={"gen_ai.provider.name": None})
    found = folded(one, two)
    assert (found.requests, found.tokens_in) == (3, 21)


def test_processes_add_up_and_so_do_lives_of_a_process() -> None:
    found = folded(
        instrumented(requests=3),
        instrumented(requests=2, **{"process.pid": 8}),
        instrumented(requests=4, start=5),
    )
    assert found.requests == 9


def test_deltas_that_do_not_say_when_they_begin_add_up_as_well() -> None:
    deltas = [instrumented(requests=2, start=0, end=end, temporality=1) for end in (5, 6, 5)]
    assert folded(*deltas).requests == 4


def test_daft_itself_is_kept_apart() -> None:
    """Its counters come once for each of two scopes, and hold the calls that the hooks have counted."""
    request = {
        "resourceMetrics": [
            *metrics(
                a_sum("daft.rows.out", a_point(attributes={"node.id": "1"}, asInt="40")),
                a_sum("daft.requests", a_point(asInt="3")),
                scope="daft.execution.local",
                **{"service.name": "daft"},
            )["resourceMetrics"],
            *metrics(
                a_sum("daft.requests", a_point(asInt="3")),
                a_sum("daft.task.active", a_point(asInt="1"), monotonic=False),
                scope="daft.execution.distributed",
                **{"service.name": "daft"},
            )["resourceMetrics"],
        ]
    }
    found = folded(hooked(3, 20), request, content_type=PROTOBUF)
    assert (found.requests, found.tokens_in, found.custom) == (3, 20, ())
    assert [(one.name, one.attributes["otel.scope.name"], one.value) for one in found.other] == [
        ("daft.requests", "daft.execution.local", 3),
        ("daft.requests", "daft.execution.distributed", 3),
        ("daft.rows.out", "daft.execution.local", 40),
    ]


def test_the_runners_name_is_no_way_to_pass_for_it() -> None:
    found = folded(metrics(a_sum(CUSTOM_PREFIX + "x", a_point(asInt="3")), scope="daftray.runner", **SDK))
    assert found == RunMetrics()


def test_what_is_no_count_of_anothers_is_passed_over() -> None:
    points = [a_point(asInt="-3"), a_point(asDouble=-0.5), a_point(asDouble="NaN"), a_point(asInt="0")]
    request = metrics(
        a_sum("a", *points),
        a_sum("b", a_point(asInt="1"), monotonic=False),
        a_sum("c", a_point(asInt="1", end=0), temporality=1),
        a_sum("d", a_point(asInt="1"), temporality=0),
        {"name": "e", "gauge": {"dataPoints": [a_point(asInt="1")]}},
        a_histogram("f", a_point(count="1", sum=1.0)),
        **SDK,
    )
    assert otlp.read(encoded(request, PROTOBUF), PROTOBUF) == []


def test_what_is_no_request_is_refused_in_protobuf_too() -> None:
    with pytest.raises(otlp.InvalidInputError, match="protobuf"):
        otlp.read(b"\xff\xff", PROTOBUF)
    many = metrics(a_sum("a", *[a_point(asInt="1")] * 10_001), **SDK)
    with pytest.raises(otlp.InvalidInputError, match="at most"):
        otlp.read(encoded(many, PROTOBUF), PROTOBUF)


GROWTH = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@given(GROWTH, st.sampled_from([1, 2]), st.randoms(use_true_random=False))
def test_reports_that_come_again_late_and_in_any_order_change_nothing(
    growth: list[int], temporality: int, chance: random.Random
) -> None:
    """Cumulative ones may be lost but for the last; deltas may not, and none is counted twice."""
    sent: list[dict[str, Any]] = []
    for step, grown in enumerate(growth):
        counted, since = (grown, step) if temporality == 1 else (sum(growth[: step + 1]), 0)
        sent.append(
            instrumented(
                requests=counted,
                tokens_in=7 * counted,
                start=1000 + since,
                end=1001 + step,
                temporality=temporality,
            )
        )
    arriving = sent + chance.choices(sent, k=len(sent))
    chance.shuffle(arriving)
    found = folded(*arriving)
    assert (found.requests or 0, found.tokens_in or 0) == (sum(growth), 7 * sum(growth))
