"""Values as JSON: what JSON can say is said, the rest is refused or told."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import pathlib
import types
import uuid
from collections import OrderedDict, deque
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.runner.jsonable import Encoder, NotJsonError


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    __slots__ = ()


@dataclasses.dataclass
class Point:
    x: int
    inner: Any = None


class Struct(msgspec.Struct):
    name: str
    when: dt.date


class Renamed(msgspec.Struct, rename="camel"):
    first_name: str


class Model(pydantic.BaseModel):
    name: str
    when: dt.date


class Pair(NamedTuple):
    left: int
    right: str


DAY = dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        ((1, [2, "3"]), [1, [2, "3"]]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (deque([1]), [1]),
        (Pair(1, "a"), [1, "a"]),
        ({"a": {"b": None}}, {"a": {"b": None}}),
        (OrderedDict(a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        ({2: "a", None: "b", True: "c", 1.5: "d"}, {"2": "a", "true": "c", "null": "b", "1.5": "d"}),
        ({Colour.RED: 1, DAY: 2}, {"red": 1, "2026-01-31": 2}),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Name("n"), "n"),
        (DAY, "2026-01-31"),
        (dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC), "2026-01-31T10:00:00+00:00"),
        (dt.time(10, 30), "10:30:00"),
        (dt.timedelta(minutes=1.5), 90.0),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (Point(1, Point(2)), {"x": 1, "inner": {"x": 2, "inner": None}}),
        (Struct("a", DAY), {"name": "a", "when": "2026-01-31"}),
        ([Renamed("a")], [{"firstName": "a"}]),
        (Model(name="a", when=DAY), {"name": "a", "when": "2026-01-31"}),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.bool_(True), True),
    ],
)
def test_what_json_can_say_is_said(value: object, encoded: object) -> None:
    encoder = Encoder()

    found = encoder.encode(value)

    assert (found, encoder.note()) == (encoded, None)
    assert json.loads(json.dumps(found)) == encoded


SELF: list[Any] = []
SELF.append(SELF)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (object(), "result is of type object, which is not JSON"),
        ({"a": [1, b"x"]}, "result.a[1] is of type bytes, which is not JSON"),
        (Point, "result is of type type, which is not JSON"),
        ([lambda: 1], "result[0] is of type function, which is not JSON"),
        ((n for n in range(3)), "result is of type generator, which is not JSON"),
        ({(1, 2): 3}, "result has a key of type tuple, which is not JSON"),
        ({1: "a", "1": "b"}, "result has two keys that JSON cannot tell apart: '1'"),
        (1 + 2j, "result is of type complex, which is not JSON"),
        (SELF, "nested deeper than 100 levels, or holds itself"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_place(value: object, why: str) -> None:
    with pytest.raises(NotJsonError) as error:
        Encoder().encode(value)

    assert why in str(error.value)


def test_numbers_that_json_lacks_are_null_and_told() -> None:
    encoder = Encoder()

    assert encoder.encode({"a": math.nan, "b": [1.0, -math.inf], "c": np.float64("nan"), "d": math.inf}) == {
        "a": None,
        "b": [1.0, None],
        "c": None,
        "d": None,
    }
    assert encoder.note() == (
        "4 value(s) that JSON lacks (NaN, infinite, missing, no Unicode) are null or have a ?: "
        "result.a, result.b[1], result.c, …"
    )


def test_text_that_is_no_unicode_is_told() -> None:
    """As the name of a file that is no UTF-8: half a surrogate pair, which the server could not read."""
    encoder = Encoder()

    assert encoder.encode(["é", "a\udcff"]) == ["é", "a?"]
    assert encoder.replaced == ["result[1]"]


def test_what_is_too_large_is_refused_before_it_is_built() -> None:
    seen: list[int] = []

    class Endless(list[int]):
        def __iter__(self) -> Any:
            n = 0
            while True:
                seen.append(n)
                yield n
                n += 1

    with pytest.raises(NotJsonError, match="larger than 1 MiB as JSON"):
        Encoder(limit=1024**2).encode(Endless())

    assert len(seen) < 1024**2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(JSON)
def test_json_stays_what_it_is(value: object) -> None:
    assert Encoder().encode(value) == value


@given(
    st.recursive(
        st.floats() | st.binary() | st.dates(), lambda inner: st.lists(inner) | st.sets(st.integers())
    )
)
def test_whatever_comes_out_is_json(value: object) -> None:
    try:
        encoded = Encoder().encode(value)
    except NotJsonError:
        return

    json.dumps(encoded, allow_nan=False)
