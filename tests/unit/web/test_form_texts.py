"""Forms of runs: lines, amounts, arguments, and what of a prefilled form is asked otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.errors import InvalidInputError
from daftray.domain.signature import Parameter, TypeShape
from daftray.domain.spec import (
    Budget,
    Entrypoint,
    Environment,
    FileEntrypoint,
    FunctionEntrypoint,
    GitSource,
    Resources,
    Retries,
    RunSpec,
    Source,
)
from daftray.domain.status import FailureReason
from daftray.web.amounts import seconds, seconds_text, size, size_text, whole
from daftray.web.argument_checks import argument_issues
from daftray.web.argument_fields import ArgumentField, Connected, argument_field
from daftray.web.form_issues import dependency_issues
from daftray.web.form_lines import read_lines, read_pairs, written_lines, written_pairs
from daftray.web.forms import Form
from daftray.web.prefill import Prefill, prefill_of
from daftray.web.run_arguments import Arguments, gather, spread
from daftray.web.run_form import changed_fields, overrides_of, request_of

SPEC = RunSpec(
    entrypoint=Entrypoint(
        function=FunctionEntrypoint(
            module="a.py",
            symbol="f",
            args=[1, "x\ny", {"a": None}, " "],
            kwargs={"k": True, "v": "", "=": '"q'},
        )
    ),
    source=Source(git=GitSource(remote="r", hash="a" * 40, bundle="blob:1")),
    environment=Environment(dependencies=["httpx"], environment_variables={"A": "two\nlines", "B": ""}),
    name="n",
    labels={"a=b": "c", "": ""},
    runner="native",
    resources=Resources(num_cpus=0.5, memory=8 << 30),
    retries=Retries(max=2, on=(FailureReason.KILLED, FailureReason.USER_ERROR), backoff=0.25),
    budget=Budget(tokens=5, usd=0.125),
    priority=-3,
    timeout_s=5400.0,
)


def filled(prefill: Prefill, **changes: str) -> Form:
    form = prefill.form()
    return Form([*form.without(*changes), *changes.items()])


@given(st.lists(st.text()))
def test_any_texts_stand_on_lines(texts: list[str]) -> None:
    assert read_lines(written_lines(texts)) == texts
    assert read_lines(written_lines(texts).replace("\n", "\r\n")) == texts


@given(st.dictionaries(st.text(), st.text()))
def test_any_pairs_stand_on_lines(pairs: dict[str, str]) -> None:
    assert read_pairs("labels", written_pairs(pairs)) == pairs


@pytest.mark.parametrize("text", ["A", "A=1\nA=2"])
def test_what_is_no_pair_is_told_with_its_line(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_pairs("labels", f"ok=1\n\n{text}")
    assert (refused.value.issues[0].path, "line" in refused.value.issues[0].message) == ("labels", True)


def test_amounts_are_typed_as_people_write_them() -> None:
    form = Form([("a", "1h30m"), ("b", "8 GiB"), ("c", "1_000"), ("d", "x"), ("e", "1.5gb"), ("f", "12")])
    assert (seconds(form, "a"), size(form, "b"), whole(form, "c")) == (5400.0, 8 << 30, 1000)
    assert (size(form, "e"), size(form, "f"), seconds(form, "none")) == (1_500_000_000, 12, None)
    for read in (seconds, size, whole):
        with pytest.raises(InvalidInputError) as refused:
            read(form, "d")
        assert refused.value.issues[0].path == "d"


@given(st.integers(min_value=0, max_value=2**50), st.floats(min_value=0, max_value=2_000_000))
def test_amounts_come_back(count: int, time: float) -> None:
    assert size(Form([("x", size_text(count))]), "x") == count
    assert seconds(Form([("x", seconds_text(time))]), "x") == pytest.approx(time, abs=1e-8)


def test_a_prefilled_form_asks_for_the_same_and_overrides_nothing() -> None:
    prefill = prefill_of(SPEC, SPEC.source)
    asked = request_of(prefill.form(), prefill)
    assert {name: getattr(asked, name) for name in RunSpec.__struct_fields__} == {
        name: getattr(SPEC, name) for name in RunSpec.__struct_fields__
    }
    assert overrides_of(prefill.form(), prefill) == {}
    assert changed_fields(prefill.form(), prefill) == set()


@pytest.mark.parametrize(
    ("field", "text", "overrides"),
    [
        ("timeout_s", "", {"timeout_s": None}),
        ("timeout_s", "90", {"timeout_s": 90.0}),
        ("name", "other", {"name": "other"}),
        ("budget_usd", "", {"budget": {"tokens": 5, "requests": None, "usd": None}}),
        ("runner", "ray", {"runner": "ray"}),
        ("priority", "", {"priority": 0}),
        ("sent_along", "", {"source": {"git": {"remote": "r", "hash": "a" * 40}}}),
        ("ref", "main", {"source": {"git": {"remote": "r", "ref": "main", "bundle": "blob:1"}}}),
        ("labels", "", {"labels": {}}),
    ],
)
def test_what_is_changed_overrides_and_nothing_else(field: str, text: str, overrides: dict[str, Any]) -> None:
    prefill = prefill_of(SPEC, SPEC.source)
    form = filled(prefill, **{field: text})
    assert overrides_of(form, prefill) == overrides
    assert changed_fields(form, prefill) == {field}


def test_values_that_stay_keep_their_types() -> None:
    prefill = prefill_of(SPEC, SPEC.source)
    texts = spread(prefill.arguments, ["arg.rows", "arg.text", "arg.more", "arg-named.k"]).texts
    form = filled(prefill, **{**texts, "arg.text": "new"})
    function = overrides_of(form, prefill)["entrypoint"]["function"]
    assert function["args"] == [1, "new", {"a": None}, " "]
    assert function["kwargs"] == {"k": True, "v": "", "=": '"q'}
    assert changed_fields(form, prefill) == {"arg.text"}


def test_what_comes_before_the_rest_goes_by_position_too() -> None:
    fields = ["arg-positional.a", "arg.b", "arg-rest.c", "arg-named.d"]
    given = [("arg-positional.a", "1"), ("arg.b", "2"), ("arg-rest.c", "3\n4"), ("arg-named.d", "5")]
    assert gather(Form(given), spread(Arguments(), fields))[0] == Arguments(["1", "2", "3", "4"], {"d": "5"})
    without = [(name, "" if name == "arg.b" else value) for name, value in given]
    assert [issue.path for issue in gather(Form(without), spread(Arguments(), fields))[1]] == ["arg.b"]
    by_name = [(name, "" if name == "arg-rest.c" else value) for name, value in given]
    assert gather(Form(by_name), spread(Arguments(), fields))[0] == Arguments(["1"], {"b": "2", "d": "5"})


@pytest.mark.parametrize(
    ("kind", "text", "fits"),
    [
        ("int needed", "", False),
        ("int", "", True),
        ("int", "3.5", False),
        ("int nullable", "null", True),
        ("float", "x", False),
        ("decimal", "1.50", True),
        ("bool", "maybe", False),
        ("date", "2026-02-30", False),
        ("time", "10:30", True),
        ("json", "[1,", False),
        ("json", "a, b", True),
        ("json", "['a']", True),
        ("object", "a", False),
        ("object", '{"a": 1}', True),
        ("none-such", "x", True),
        ("", "x", True),
    ],
)
def test_a_text_is_checked_as_its_type(kind: str, text: str, fits: bool) -> None:
    issues = argument_issues(Form([("arg.x", text), ("as.arg.x", kind)]))
    assert ([issue.path for issue in issues] == []) is fits


def a_field(annotation: str, text: str = "", **shape: Any) -> ArgumentField:
    parameter = Parameter(
        name="x",
        kind="positional_or_keyword",
        annotation=annotation,
        default=None,
        required=True,
        type=TypeShape(**shape),
    )
    return argument_field(parameter, Form([("arg.x", text)]), None, Connected(data_source=["orders"]))


def test_each_type_has_its_field_and_nothing_typed_is_lost() -> None:
    assert (a_field("int", kind="int").widget, a_field("int", "3", kind="int").step) == ("number", "1")
    assert a_field("int", "three", kind="int").widget == "text"
    assert a_field("date", "2026-01-31", kind="date").widget == "date"
    assert a_field("str", "two\nlines", kind="str").widget == "textarea"
    assert a_field("list[str]", kind="list").widget == "textarea"
    chosen = a_field("Literal", "z", kind="literal", choices=("a", "b"))
    assert (chosen.widget, chosen.choices) == ("select", ["a", "b", "z"])


def test_data_sources_are_picked_where_they_can_be() -> None:
    there = a_field("daft.DataFrame", "orders", kind="data_source")
    assert (there.picks, there.now.text, there.now.picked) == (["data_source"], "", "data_source:orders")
    assert a_field("daft.DataFrame", "other", kind="data_source").now.text == "other"
    assert a_field("", '{"data_source":"orders"}', kind="any").now.picked == "data_source:orders"
    assert a_field("str", "orders", kind="str").picks == []


def test_a_picked_data_source_is_named_as_its_parameter_wants_it() -> None:
    picked = {"kind": "function", "path": "a.py", "symbol": "f", "pick.arg.x": "data_source:orders"}
    for kind, value in (("data_source needed", "orders"), ("any", {"data_source": "orders"})):
        form = Form([*picked.items(), ("arg.x", ""), ("as.arg.x", kind)])
        function = request_of(form).entrypoint.function
        assert function is not None
        assert function.kwargs == {"x": value}
    both = Form([*picked.items(), ("arg.x", "text"), ("as.arg.x", "any")])
    with pytest.raises(InvalidInputError) as refused:
        request_of(both)
    assert refused.value.issues[0].path == "arg.x"


def test_dependencies_are_refused_line_by_line() -> None:
    issues = dependency_issues("httpx\n\n-r x.txt\n???\r\nnumpy>=2")
    assert [(issue.line, issue.text) for issue in issues] == [(3, "-r x.txt"), (4, "???")]
    assert dependency_issues("httpx>=0.28") == []


def test_secrets_need_both_name_and_value_and_are_told_of_at_their_row() -> None:
    form = [("kind", "file"), ("path", "a.py"), ("secret-name.0", "A"), ("secret-value.0", "x")]
    assert request_of(Form(form)).secrets == {"A": "x"}
    with pytest.raises(InvalidInputError) as refused:
        request_of(Form([*form, ("secret-name.1", "B"), ("retries_backoff", "5s"), ("memory", "much")]))
    assert {issue.path for issue in refused.value.issues} == {"secret-value.1", "retries_max", "memory"}
    assert "x" not in {issue.message for issue in refused.value.issues}


def test_a_file_is_prefilled_with_its_command_line() -> None:
    spec = RunSpec(entrypoint=Entrypoint(file=FileEntrypoint(file_path="a.py", argv=["--x", " ", "y"])))
    prefill = prefill_of(spec, spec.source)
    assert request_of(prefill.form(), prefill).entrypoint == spec.entrypoint
    changed = overrides_of(filled(prefill, argv="--y"), prefill)
    assert changed == {"entrypoint": {"file": {"file_path": "a.py", "argv": ["--y"]}}}
