"""Arguments of every kind of annotation, with pydantic in the environment and without: the same values."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)

import msgspec
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftray.runner.arguments import bind
from daftray.runner.convert import ConversionError, convert
from daftray.runner.ending import ArgumentsInvalidError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5
    colour: Colour = Colour.RED


@dataclasses.dataclass
class Path2:
    points: list[Point]
    name: str | None = None


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Typed(TypedDict):
    n: int
    when: NotRequired[dt.date]


class Struct(msgspec.Struct):
    x: int
    points: list[Point] = []


class Model(pydantic.BaseModel):
    name: str
    sizes: list[int] = []


UserId = NewType("UserId", int)
Bound = TypeVar("Bound", bound=int)
Choice = TypeVar("Choice", int, bytes)
Free = TypeVar("Free")


@pytest.fixture(params=["with pydantic", "without"])
def _environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "pydantic", None)


CASES: list[tuple[Any, str, object]] = [
    (int, " -4 ", -4),
    (int, "1_000", 1000),
    (float, "1e3", 1000.0),
    (bool, "Yes", True),
    (bool, "off", False),
    (str, " 3 ", " 3 "),
    (bytes, "é", "é".encode()),
    (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
    (dt.datetime, "2026-01-31T10:00:00Z", dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)),
    (dt.datetime, "2026-01-31 10:00", dt.datetime(2026, 1, 31, 10)),  # noqa: DTZ001 (as it was typed)
    (dt.time, "10:30", dt.time(10, 30)),
    (dt.timedelta, "90", dt.timedelta(seconds=90)),
    (dt.timedelta, "PT1H30M", dt.timedelta(minutes=90)),
    (dt.timedelta, "-P1DT1S", -dt.timedelta(days=1, seconds=1)),
    (dt.timedelta, "1:30:00", dt.timedelta(minutes=90)),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    (pathlib.Path, "a/b", pathlib.Path("a/b")),
    (Colour, "blue", Colour.BLUE),
    (Colour, "BLUE", Colour.BLUE),
    (Level, "2", Level.HIGH),
    (Level, "HIGH", Level.HIGH),
    (Literal["fast", 1, None], "1", 1),  # noqa: PYI061 (the same)
    (Literal["fast", 1], "fast", "fast"),
    (Literal[True, 2], "2", 2),
    (int | None, "null", None),
    (int | None, "none", None),
    (int | None, "", None),
    (Optional[int], "7", 7),  # noqa: UP045 (people write it so)
    (Union[int, float], "7.5", 7.5),  # noqa: UP007 (the same)
    (int | str, "7", "7"),
    (str | None, "none", "none"),
    (Colour | None, "RED", Colour.RED),
    (list[int], "[1, 2]", [1, 2]),
    (list[int], "1, 2", [1, 2]),
    (list[str], "a", ["a"]),
    (list[str], "", []),
    (list[str], "['a', \"b\"]", ["a", "b"]),
    (list[Colour], "RED,blue", [Colour.RED, Colour.BLUE]),
    (Sequence[int], "(1, 2)", [1, 2]),
    (set[int], "1,1", {1}),
    (frozenset[str], '["a"]', frozenset({"a"})),
    (collections.deque[int], "1,2", collections.deque([1, 2])),
    (tuple[int, str], "1,a", (1, "a")),
    (tuple[int, ...], "[1, 2, 3]", (1, 2, 3)),
    (dict[str, float], "{'a': 1}", {"a": 1.0}),
    (Mapping[str, Colour], '{"a": "RED"}', {"a": Colour.RED}),
    (dict[Level, dt.date], '{"LOW": "2026-01-31"}', {Level.LOW: dt.date(2026, 1, 31)}),
    (Point, '{"x": "3", "colour": "BLUE"}', Point(3, 0.5, Colour.BLUE)),
    (Path2, '{"points": [{"x": 1, "colour": "red"}]}', Path2([Point(1)])),
    (list[Point], "[{'x': 1, 'y': 2}]", [Point(1, 2.0)]),
    (Pair, "1,a", Pair(1, "a")),
    (Pair, '{"left": "2"}', Pair(2)),
    (Typed, '{"n": "1", "when": "2026-01-31"}', {"n": 1, "when": dt.date(2026, 1, 31)}),
    (Struct, '{"x": "1", "points": [{"x": 2, "colour": "BLUE"}]}', Struct(1, [Point(2, 0.5, Colour.BLUE)])),
    (list[Struct], '[{"x": 1}]', [Struct(1)]),
    (dict[str, Struct | None], '{"a": {"x": 1}, "b": null}', {"a": Struct(1), "b": None}),
    (Model, '{"name": "a", "sizes": ["1"]}', Model(name="a", sizes=[1])),
    (Annotated[int, "how many"], "3", 3),
    (list[Annotated[Colour, "which"]], "RED", [Colour.RED]),
    (UserId, "3", 3),
    (Bound, "3", 3),
    (Choice, "x", b"x"),
    (Free, "3", "3"),
    (Any, "3", "3"),
    (None, "null", None),
]


@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(("annotation", "text", "value"), CASES, ids=[f"{a} {t}"[:60] for a, t, _ in CASES])
def test_text_becomes_the_same_with_pydantic_and_without(annotation: Any, text: str, value: object) -> None:
    found = convert(text, annotation)
    assert (type(found), found) == (type(value), value)


@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "3.5"),
        (float, "x"),
        (bool, "maybe"),
        (dt.date, "31.1.2026"),
        (dt.time, "25:00"),
        (dt.timedelta, "P"),
        (dt.timedelta, "soon"),
        (decimal.Decimal, "1,5"),
        (uuid.UUID, "123"),
        (Colour, "green"),
        (Level, "3"),
        (Literal["a", 1], "b"),
        (None, "0"),
        (list[int], '{"a": 1}'),
        (list[int], "1,x"),
        (tuple[int, str], "1"),
        (dict[str, int], "a"),
        (Point, "[1]"),
        (Struct, "1"),
        (Typed, "{}"),
        (Pair, "x,a"),
    ],
)
def test_what_does_not_fit_is_refused_with_pydantic_and_without(annotation: Any, text: str) -> None:
    with pytest.raises(ConversionError) as error:
        convert(text, annotation)
    assert all(problem.startswith((":", ".", "[")) for problem in error.value.problems)


@pytest.mark.usefixtures("_environment")
def test_every_mistake_in_a_record_is_told_at_its_place() -> None:
    with pytest.raises(ConversionError) as error:
        convert('{"x": "a", "points": [{"colour": "green"}, 3], "z": 1}', Struct)
    places = [problem.partition(":")[0] for problem in error.value.problems]
    assert places == [".z", ".x", ".points[0].x", ".points[0].colour", ".points[1]"]


def test_conditions_hold_for_what_was_typed_with_commas_too() -> None:
    few = Annotated[list[int], pydantic.Field(max_length=2)]
    assert convert("1,2", few) == [1, 2]
    for annotation in (few, list[Annotated[int, pydantic.Field(lt=2)]]):
        with pytest.raises(ConversionError):
            convert("1,2,3", annotation)


LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(2**53), 2**53)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (str, st.text()),
    (Colour, st.sampled_from(Colour)),
    (dt.date, st.dates()),
    (uuid.UUID, st.uuids()),
    (int | None, st.none() | st.integers(-(2**53), 2**53)),
]


def _said(value: Any) -> Any:
    """Say a value as JSON has it; an enum's member by its name."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, list):
        return [_said(one) for one in value]
    if isinstance(value, dict):
        return {key: _said(one) for key, one in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _nested(leaf: tuple[Any, st.SearchStrategy[Any]]) -> list[tuple[Any, st.SearchStrategy[Any]]]:
    annotation, values = leaf
    lists, dicts = st.lists(values, max_size=3), st.dictionaries(st.text(), values, max_size=3)
    return [
        leaf,
        (list[annotation], lists),
        (dict[str, annotation], dicts),
        (list[dict[str, annotation]], st.lists(dicts, max_size=2)),
        (dict[str, list[annotation]] | None, st.none() | st.dictionaries(st.text(), lists, max_size=2)),
    ]


@pytest.mark.usefixtures("_environment")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_what_is_said_as_json_text_comes_back(data: st.DataObject) -> None:
    annotation, values = data.draw(st.sampled_from([one for leaf in LEAVES for one in _nested(leaf)]))
    value = data.draw(values)
    said = _said(value)
    text = said if isinstance(said, str) else json.dumps(said)
    assert convert(text, annotation) == value


@pytest.mark.usefixtures("_environment")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(), st.sampled_from([annotation for annotation, _, _ in CASES]))
def test_any_text_converts_or_is_refused_without_being_told(text: str, annotation: Any) -> None:
    marked = f"swordfish{text}"
    try:
        convert(marked, annotation)
    except ConversionError as error:
        assert "swordfish" not in str(error)  # noqa: PT017 (what does not fit is only some of it)


@pytest.mark.usefixtures("_environment")
def test_arguments_of_a_call_are_all_told_at_once() -> None:
    class Options(TypedDict):
        n: int

    def function(*points: Point, when: dt.date, **more: int) -> Options: ...

    with pytest.raises(ArgumentsInvalidError) as error:
        bind(function, ['{"x": 1}', "{}"], {"when": "x", "a": "1", "b": "y"})
    places = [line.strip().partition(":")[0] for line in str(error.value).splitlines()[1:]]
    assert places == ["points[1].x", "when", "b"]


def test_an_object_that_can_be_called_is_bound_by_its_call() -> None:
    class Job:
        def __call__(self, n: Level) -> Level:
            return n

    assert bind(Job(), ["HIGH"], {}) == ([Level.HIGH], {})
