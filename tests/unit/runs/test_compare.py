"""Two runs side by side, for any two runs; and where two JSON values differ, for any two values."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
from factories import COMMIT, a_run
from hypothesis import assume, example, given
from hypothesis import strategies as st

from daftray.domain.cpu_seconds import CpuSeconds
from daftray.domain.metrics import RunMetrics
from daftray.domain.spec import (
    Budget,
    Entrypoint,
    Environment,
    FileEntrypoint,
    FunctionEntrypoint,
    GitSource,
    Resources,
    Source,
)
from daftray.runs.compare import Figure, Pair, durations_of, paired, sections_of, usage_of
from daftray.runs.json_differences import Step, compare_json

TEXTS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=5)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
LARGE = 1 << 20


@given(TEXTS, TEXTS)
def test_pairs_hold_all_of_both_and_tell_what_differs(here: dict[str, str], there: dict[str, str]) -> None:
    pairs = paired(here, there)
    assert {pair.name: pair.here for pair in pairs if pair.here is not None} == here
    assert {pair.name: pair.there for pair in pairs if pair.there is not None} == there
    assert {pair.name for pair in pairs if not pair.differs} == {
        name for name in here if name in there and here[name] == there[name]
    }
    assert {(pair.name, pair.there, pair.here) for pair in pairs} == {
        (pair.name, pair.here, pair.there) for pair in paired(there, here)
    }


def test_a_run_beside_itself_differs_in_nothing() -> None:
    run = a_run(commit=COMMIT, secret_names=("TOKEN",), resources=Resources(num_cpus=2))
    sections = sections_of(run, run)
    assert [section.different for section in sections] == [[] for _ in sections]
    assert sum(len(section.equal) for section in sections) > 5


def test_what_two_runs_were_asked_to_be_is_told_apart_by_name() -> None:
    here = a_run(
        entrypoint=Entrypoint(file=FileEntrypoint(file_path="main.py", argv=["a", "b"])),
        environment=Environment(
            python_version="3.12", dependencies=["HTTPX>=0.27", "polars"], environment_variables={"A": "1"}
        ),
        source=Source(git=GitSource(remote="https://git.example/demo.git", patch="blob:" + "a" * 64)),
    )
    there = a_run(
        entrypoint=Entrypoint(file=FileEntrypoint(file_path="main.py", argv=["a", "c"])),
        environment=Environment(dependencies=["httpx>=0.28", "polars", "polars[x]"]),
        source=here.source,
        budget=Budget(tokens=5),
        timeout_s=60.0,
    )
    different = {
        section.title: [(pair.name, pair.here, pair.there) for pair in section.different]
        for section in sections_of(here, there)
    }
    assert different == {
        "Code": [],
        "Arguments": [("2", "b", "c")],
        "Environment": [("Python", "3.12", "the cluster's")],
        "Dependencies": [
            ("httpx", "HTTPX>=0.27", "httpx>=0.28"),
            ("polars", "polars", "polars, polars[x]"),
        ],
        "Variables": [("A", "1", None)],
        "Resources and limits": [("budget: tokens", None, "5"), ("timeout_s", None, "60.0")],
    }


def test_arguments_of_functions_are_compared_one_by_one() -> None:
    here = a_run(entrypoint=_calls(args=[1, "x"], kwargs={"b": [1], "a": None}))
    there = a_run(entrypoint=_calls(args=[1], kwargs={"a": None, "b": [1, 2]}))
    (arguments,) = [section for section in sections_of(here, there) if section.title == "Arguments"]
    assert arguments.different == [
        Pair(name="2", here='"x"', there=None),
        Pair(name="b", here="[1]", there="[1,2]"),
    ]
    assert arguments.equal == [
        Pair(name="1", here="1", there="1"),
        Pair(name="a", here="null", there="null"),
    ]


def _calls(**fields: Any) -> Entrypoint:  # any JSON
    return Entrypoint(function=FunctionEntrypoint(module="m", symbol="f", **fields))


AMOUNTS = st.none() | st.floats(0, 1e12)


@given(AMOUNTS, AMOUNTS)
@example(1e-298, 2.0)
def test_a_ratio_is_known_where_both_are_and_leads_from_one_to_the_other(
    here: float | None, there: float | None
) -> None:
    ratio = Figure(name="x", here=here, there=there).ratio
    if here is None or there is None or here <= 1e-12:
        assert ratio is None
    else:
        assert ratio is not None
        assert abs(ratio * here - there) <= 1e-6 * max(1.0, there)


def test_usage_and_phases_are_figures() -> None:
    here = RunMetrics(requests=2, cpu_seconds=CpuSeconds(allocated=4.0))
    usage = {figure.name: figure for figure in usage_of(here, RunMetrics(requests=3, cost=0.5))}
    assert (usage["Requests"].ratio, usage["CPU seconds"].there, usage["Cost"].ratio) == (1.5, None, None)
    phases = durations_of({"queued": 1.0, "running": 2.0}, {"running": 4.0, "harvesting": 1.0})
    assert [(one.name, one.here, one.there) for one in phases] == [
        ("queued", 1.0, None),
        ("running", 2.0, 4.0),
        ("harvesting", None, 1.0),
        ("in all", 3.0, 5.0),
    ]


def _raw(value: object) -> bytes:
    return msgspec.json.encode(value)


def _put(value: Any, path: tuple[Step, ...], inner: str | None) -> Any:  # any JSON
    """Return a value with another one at a path, or without it."""
    if not path:
        assert inner is not None
        return json.loads(inner)
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        known = cast("dict[Step, Any]", value)
        if not rest and inner is None:
            return {name: one for name, one in known.items() if name != step}
        return {**known, step: _put(known.get(step), rest, inner)}
    items = list(cast("list[Any]", value))
    at = int(step)
    if not rest and inner is None:
        return items[:at]
    return [*items[:at], _put(items[at] if at < len(items) else None, rest, inner), *items[at + 1 :]]


@given(JSON, JSON)
@example([1, {"a": True}], [1.0, {"a": 1}])
@example({"a": [1, 2, 3]}, {"a": [1]})
def test_differences_lead_from_one_value_to_the_other(here: object, there: object) -> None:
    found = compare_json(_raw(here), _raw(there), largest=LARGE, most=1000)
    assume(not any((one.there or "").endswith("…") for one in found.differences))  # cut, so no JSON
    assert not found.more
    assert found.equal == (not found.differences)
    patched = here
    for difference in sorted(found.differences, key=lambda one: one.there is None):
        patched = _put(patched, difference.path, difference.there)
    canonical = [msgspec.json.encode(one, order="sorted") for one in (patched, there)]
    assert canonical[0] == canonical[1]


@given(JSON)
def test_a_value_differs_from_itself_nowhere_however_it_is_written(value: object) -> None:
    written = msgspec.json.format(_raw(value), indent=3)
    assert compare_json(_raw(value), written, largest=LARGE, most=5).equal


def test_differences_are_bounded_and_cut() -> None:
    here, there = _raw({"a b": [0] * 10, "c": {"d": "x" * 999}}), _raw({"a b": [1] * 10, "c": {"d": 1}})
    found = compare_json(here, there, largest=LARGE, most=3)
    assert [one.place for one in found.differences] == ['["a b"][0]', '["a b"][1]', '["a b"][2]']
    assert found.more
    last = compare_json(here, there, largest=LARGE, most=99).differences[-1]
    assert (last.place, last.there) == ("c.d", "1")
    assert len(last.here or "") < 300
    assert compare_json(b"1", b"2", largest=LARGE, most=9).differences[0].place == "(all of it)"


def test_what_is_too_large_or_too_deep_is_compared_as_it_was_sent() -> None:
    assert compare_json(b"[1,2]", b"[1,3]", largest=4, most=9).too_large
    assert compare_json(b"[1,2]", b"[1,2]", largest=4, most=9).equal
    deep = compare_json(b"[" * 900 + b"]" * 900, b"[" * 900 + b"1" + b"]" * 900, largest=LARGE, most=9)
    assert not deep.equal
