"""Arguments, as a command line or a JSON body says them, against what annotations ask for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import sys
import uuid
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.runner.arguments import bind
from daftray.runner.convert import ConversionError, convert
from daftray.runner.ending import ArgumentsInvalidError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


class Model(pydantic.BaseModel):
    name: str
    sizes: list[int] = []


class Pair(NamedTuple):
    left: int
    right: str


class Typed(TypedDict):
    n: int


class Opaque:
    pass


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (int, " -4 ", -4),
        (float, "2.5", 2.5),
        (bool, "true", True),
        (bool, "0", False),
        (str, "3", "3"),
        (str, "null", "null"),
        (str | None, "null", "null"),
        (int | None, "null", None),
        (int | None, "7", 7),
        (int | str, "7", "7"),
        (Any, "7", "7"),
        (object, "[1]", "[1]"),
        (list[int], "[1, 2]", [1, 2]),
        (list[str], '["a"]', ["a"]),
        (set[int], "[1, 1]", {1}),
        (tuple[int, str], '[1, "a"]', (1, "a")),
        (dict[str, float], '{"a": 1}', {"a": 1.0}),
        (Literal["fast", "slow"], "fast", "fast"),
        (Literal[1, 2], "2", 2),
        (Colour, "blue", Colour.BLUE),
        (Point, '{"x": "3"}', Point(x=3)),
        (list[Point], '[{"x": 1, "y": 2}]', [Point(x=1, y=2.0)]),
        (Model, '{"name": "a", "sizes": ["1"]}', Model(name="a", sizes=[1])),
        (Pair, '[1, "a"]', Pair(1, "a")),
        (Typed, '{"n": 1}', {"n": 1}),
        (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
        (dt.datetime, "2026-01-31T10:00:00Z", dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)),
        (dt.timedelta, "PT90S", dt.timedelta(seconds=90)),
        (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
        (pathlib.Path, "a/b", pathlib.Path("a/b")),
        (
            uuid.UUID,
            "12345678-1234-5678-1234-567812345678",
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (bytes, "abc", b"abc"),
        (Annotated[int, pydantic.Field(gt=2)], "3", 3),
        (pydantic.SecretStr, "abc", pydantic.SecretStr("abc")),
    ],
)
def test_text_becomes_what_the_annotation_asks_for(annotation: Any, text: str, value: object) -> None:
    found = convert(text, annotation)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("annotation", "given_", "value"),
    [
        (float, 3, 3.0),
        (Point, {"x": 1}, Point(x=1)),
        (list[dt.date], ["2026-01-31"], [dt.date(2026, 1, 31)]),
        (set[int], [1, 1], {1}),
        (dict[str, Point], {"a": {"x": 1}}, {"a": Point(x=1)}),
        (Colour, "red", Colour.RED),
        (Any, {"a": [1]}, {"a": [1]}),
        (bytes, "é", "é".encode()),
    ],
)
def test_json_becomes_what_the_annotation_asks_for(annotation: Any, given_: object, value: object) -> None:
    assert convert(given_, annotation) == value


@pytest.mark.parametrize(
    ("annotation", "given_", "problems"),
    [
        (int, "3.5", [": input should be a valid integer, unable to parse string as an integer"]),
        (str, 3, [": input should be a valid string"]),
        (bool, "maybe", [": input should be a valid boolean, unable to interpret input"]),
        (list[int], "[1, null]", ["[1]: input should be a valid integer"]),
        (
            Point,
            '{"y": "a"}',
            [".x: field required", ".y: input should be a valid number, unable to parse string as a number"],
        ),
        (Colour, "green", [": input should be 'red' or 'blue'"]),
        (Opaque, "{}", [": input should be an instance of Opaque"]),
    ],
)
def test_what_does_not_fit_is_told_at_its_place(annotation: Any, given_: object, problems: list[str]) -> None:
    with pytest.raises(ConversionError) as error:
        convert(given_, annotation)

    assert error.value.problems == problems


@given(st.text())
def test_a_secret_looking_value_is_in_no_message(value: str) -> None:
    """Arguments are personal data: a message says what is wrong, not with what."""
    marked = f"swordfish{value}swordfish"
    with pytest.raises(ConversionError) as error:
        convert(marked, int | list[int])

    assert "swordfish" not in str(error.value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    ).filter(lambda value: isinstance(value, list | dict))
)
def test_json_text_is_read_as_the_json_that_it_is(value: Any) -> None:
    annotation = list[Any] if isinstance(value, list) else dict[str, Any]

    assert convert(json.dumps(value), annotation) == convert(value, annotation) == value


@given(
    st.integers()
    | st.booleans()
    | st.text()
    | st.dates()
    | st.uuids()
    | st.decimals(allow_nan=False, allow_infinity=False)
)
def test_the_text_of_a_value_converts_back_to_it(value: Any) -> None:
    assert convert(str(value), type(value)) == value


def call(function: Any, *args: object, **kwargs: object) -> object:
    bound, named = bind(function, list(args), kwargs)
    return function(*bound, **named)


def test_every_kind_of_parameter_is_filled() -> None:
    def function(a: int, /, b: int, *rest: int, c: int = 9, **others: float) -> object:
        return a, b, rest, c, others

    assert call(function, "1", "2", "3", "4", c="5", d="6") == (1, 2, (3, 4), 5, {"d": 6.0})
    assert call(function, "1", b="2") == (1, 2, (), 9, {})
    assert call(function, "1", "2", a="7") == (1, 2, (), 9, {"a": 7.0})


def test_without_annotations_values_stay_as_they_are() -> None:
    assert call(lambda a, b=2, *c, **d: (a, b, c, d), "1", ["x"], "3", e="4") == (
        "1",
        ["x"],
        ("3",),
        {"e": "4"},
    )


def test_defaults_are_left_to_the_function() -> None:
    def function(a: int = "unset") -> object:  # type: ignore[assignment] (a default is not converted)
        return a

    assert call(function) == "unset"


def test_every_problem_is_told_at_once() -> None:
    def function(a: int, /, b: int, *, c: int, d: int = 0) -> None: ...

    with pytest.raises(ArgumentsInvalidError) as error:
        bind(function, ["x", "2", "3", "4"], {"b": "1", "d": "y", "e": "1"})

    assert str(error.value).splitlines()[1:] == [
        "  a: input should be a valid integer, unable to parse string as an integer",
        "  too many arguments: 4 were given by position, 2 can be",
        "  b: given twice, by position and by name",
        "  d: input should be a valid integer, unable to parse string as an integer",
        "  e: there is no such parameter.",
        "  c: missing",
    ]
    with pytest.raises(ArgumentsInvalidError, match="a: can be given by position only"):
        bind(function, [], {"a": "1", "b": "1", "c": "1"})


def test_annotations_may_be_text_and_may_name_what_is_not_there() -> None:
    """As with ``from __future__ import annotations``, and names imported for a type checker only."""
    names: dict[str, Any] = {"Point": Point}
    exec(  # noqa: S102 (annotations that a checker would refuse in this file)
        "def function(a: 'int', b: 'list[Point]', c: 'Absent', d: 'Absent | None' = None): return a, b, c, d",
        names,
    )

    assert call(names["function"], "1", '[{"x": 2}]', "3", d="4") == (1, [Point(x=2)], "3", "4")


def test_methods_and_classes_are_called_like_functions() -> None:
    class Job:
        def __init__(self, n: int) -> None:
            self.n = n

        @classmethod
        def make(cls, n: int) -> Job:
            return cls(n)

        @staticmethod
        def static(n: int) -> int:
            return n

    assert (call(Job.make, "1").n, call(Job.static, n="2"), call(Job, "3").n) == (1, 2, 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (float, "1e3", 1000.0),
        (bool, "yes", True),
        (list[int], "[1]", [1]),
        (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
    ],
)
def test_without_pydantic_the_plain_types_convert(
    monkeypatch: pytest.MonkeyPatch, annotation: Any, text: str, value: object
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)

    assert convert(text, annotation) == value


@pytest.mark.parametrize(("annotation", "text"), [(int, "three"), (bool, "maybe")])
def test_without_pydantic_plain_mistakes_are_told(
    monkeypatch: pytest.MonkeyPatch, annotation: Any, text: str
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)

    with pytest.raises(ConversionError, match="give "):
        convert(text, annotation)
