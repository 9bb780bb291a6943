"""What a file's text tells of what can be called in it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.errors import InvalidInputError
from daftray.domain.signature import Callable, Parameter, TypeShape
from daftray.entrypoints.callables import MOST_CALLABLES, read_callables

HEAD = """\
from __future__ import annotations
import datetime as dt, decimal, enum, pathlib, uuid
import daft
import daft as d
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar, Union
from daft import Catalog as Cat, DataFrame
from daft.catalog import Catalog
from pydantic import BaseModel, Field
from elsewhere import Thing

class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"
    _hidden = 1
    def paint(self): ...

@dataclass(frozen=True)
class Point:
    x: int
    y: float = 0.5
    tags: list[str] = field(default_factory=list)
    label: str = field(repr=False)
    kind: t.ClassVar[int] = 3

class Model(BaseModel):
    name: str = Field(..., description="x")
    size: int = Field(default=3)

class Small(Model):
    extra: Optional[Point] = None

class Pair(NamedTuple):
    left: int
    right: str = "r"

class Typed(TypedDict):
    n: int

UserId = NewType("UserId", int)
T = TypeVar("T", bound=float)
Number = int | float
"""


def read(text: str) -> list[Callable]:
    found, truncated = read_callables(text.encode(), "job.py")
    assert not truncated
    return found


def only(text: str, symbol: str = "f") -> Callable:
    (found,) = [one for one in read(HEAD + text) if one.symbol == symbol]
    return found


def shape_of(annotation: str) -> TypeShape:
    found = only(f"def f(a: {annotation}): ...").parameters
    assert found is not None
    return found[0].type


def plain(shape: TypeShape) -> Any:
    return msgspec.json.decode(msgspec.json.encode(shape))


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        ("int", {"kind": "int"}),
        ("'int'", {"kind": "int"}),
        ("object", {"kind": "any"}),
        ("t.Any", {"kind": "any"}),
        ("dt.date", {"kind": "date"}),
        ("dt.datetime", {"kind": "datetime"}),
        ("decimal.Decimal", {"kind": "decimal"}),
        ("uuid.UUID", {"kind": "uuid"}),
        ("pathlib.Path", {"kind": "path"}),
        ("None", {"kind": "none"}),
        ("int | None", {"kind": "int", "optional": True}),
        ("Optional[str]", {"kind": "str", "optional": True}),
        ("t.Optional['str']", {"kind": "str", "optional": True}),
        (
            "Union[int, str, None]",
            {"kind": "union", "optional": True, "items": [{"kind": "int"}, {"kind": "str"}]},
        ),
        ("Literal['a', 1, None]", {"kind": "literal", "optional": True, "choices": ["a", 1]}),
        ("list[int]", {"kind": "list", "items": [{"kind": "int"}]}),
        ("Sequence[int]", {"kind": "list", "items": [{"kind": "int"}]}),
        ("t.List", {"kind": "list"}),
        ("tuple[int, str]", {"kind": "tuple", "items": [{"kind": "int"}, {"kind": "str"}]}),
        ("tuple[int, ...]", {"kind": "list", "items": [{"kind": "int"}]}),
        ("Mapping[str, float]", {"kind": "dict", "items": [{"kind": "str"}, {"kind": "float"}]}),
        ("Annotated[int, 'between']", {"kind": "int"}),
        ("UserId", {"kind": "int"}),
        ("T", {"kind": "float"}),
        ("Number", {"kind": "union", "items": [{"kind": "int"}, {"kind": "float"}]}),
        ("Colour", {"kind": "enum", "name": "Colour", "choices": ["RED", "BLUE"]}),
        ("Thing", {"kind": "unknown", "name": "elsewhere.Thing"}),
        ("not valid", {"kind": "unknown"}),
        ("1 + 1", {"kind": "unknown"}),
        ("daft.DataFrame", {"kind": "data_source"}),
        ("d.DataFrame", {"kind": "data_source"}),
        ("DataFrame", {"kind": "data_source"}),
        ("'DataFrame | None'", {"kind": "data_source", "optional": True}),
        ("Cat", {"kind": "catalog"}),
        ("Catalog", {"kind": "catalog"}),
    ],
)
def test_an_annotation_is_read_as_far_as_the_file_tells(annotation: str, shape: Any) -> None:
    text = annotation if annotation != "not valid" else "'not valid'"
    assert plain(shape_of(text)) == shape


@pytest.mark.parametrize(
    ("annotation", "kind", "fields"),
    [
        (
            "Point",
            "dataclass",
            [("x", "int", True), ("y", "float", False), ("tags", "list", False), ("label", "str", True)],
        ),
        ("Model", "model", [("name", "str", True), ("size", "int", False)]),
        ("Small", "model", [("name", "str", True), ("size", "int", False), ("extra", "dataclass", False)]),
        ("Pair", "named_tuple", [("left", "int", True), ("right", "str", False)]),
        ("Typed", "typed_dict", [("n", "int", True)]),
    ],
)
def test_records_have_their_fields(annotation: str, kind: str, fields: list[tuple[str, str, bool]]) -> None:
    shape = shape_of(annotation)
    assert shape.kind == kind
    assert [(one.name, one.type.kind, one.required) for one in shape.fields] == fields


def test_parameters_come_with_kind_text_and_default() -> None:
    found = only(
        "async def f(a, /, b: 'int' = 1 +\\\n 2, *c: str, d: float = 1e3, e, **g: Point) -> dict: ..."
    )
    assert (found.kind, found.returns) == ("async_function", "dict")

    def told(one: Parameter) -> tuple[str, str, str | None, str | None, bool]:
        return one.name, one.kind, one.annotation, one.default, one.required

    assert list(map(told, found.parameters or ())) == [
        ("a", "positional_only", None, None, True),
        ("b", "positional_or_keyword", "'int'", "1 +\\ 2", False),
        ("c", "var_positional", "str", None, False),
        ("d", "keyword_only", "float", "1e3", False),
        ("e", "keyword_only", None, None, True),
        ("g", "var_keyword", "Point", None, False),
    ]


def test_what_a_run_can_name_is_listed() -> None:
    found = read(
        '''
import typing
def _hidden(): ...
@typing.overload
def f(a: int) -> int: ...
def f(a): ...
if True:
    def g():
        """First line,
        and second.

        More.
        """
        def inner(): ...
else:
    async def g(): ...
try:
    import x
except ImportError:
    def h(): ...
class Job:
    def __init__(self, n: int): ...
    def method(self): ...
    @staticmethod
    def static(n: int): ...
    @classmethod
    async def made(cls, n: int): ...
class Bare: ...
class Heir(x.Base): ...
'''
    )
    told = [
        (one.symbol, one.kind, one.parameters and [each.name for each in one.parameters]) for one in found
    ]
    assert told == [
        ("f", "function", ["a"]),
        ("g", "async_function", ()),
        ("h", "function", ()),
        ("Job", "class", ["n"]),
        ("Job.static", "function", ["n"]),
        ("Job.made", "async_function", ["n"]),
        ("Bare", "class", ()),
        ("Heir", "class", None),
    ]


def test_documentation_is_told_in_short_and_whole() -> None:
    found = only('def f():\n    """First line,\n    and second.\n\n    More.\n    """')
    assert (found.summary, found.doc) == ("First line, and second.", "First line,\nand second.\n\nMore.")
    assert only("def f(): ...").doc is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"def f(:\n", "job.py, line 1: "),
        (b"x = 1\n\ndef f()\n", "job.py, line 3: "),
        (b"\xff\xfe", "job.py"),
        (b"# coding: nonsense\n", "job.py"),
        (b"a\0b", "job.py"),
        (b"(" * 100_000, "job.py"),
        (b"x = " + b"-" * 100_000 + b"1", "job.py"),
    ],
)
def test_what_is_no_python_is_told_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read_callables(data, "job.py")
    assert error.value.issues[0].path == "path"
    assert error.value.issues[0].message.startswith(message)


def test_other_encodings_and_ends_of_lines_are_read() -> None:
    (found,), _ = read_callables(
        "# coding: latin-1\r\ndef f(ä: 'int' = 'é'): ...\r\n".encode("latin-1"), "a.py"
    )
    assert found.parameters is not None
    (parameter,) = found.parameters
    assert (parameter.name, parameter.default) == ("ä", "'é'")
    (found,), _ = read_callables("\ufeffdef f(a='é', b: int = 2): ...".encode(), "a.py")
    assert [one.default for one in found.parameters or ()] == ["'é'", "2"]


def test_nothing_of_the_file_is_executed() -> None:
    assert read("raise SystemExit(3)\nimport nowhere\ndef f(a=1 / 0): ...")[0].symbol == "f"


def test_what_is_much_is_cut_short() -> None:
    found, truncated = read_callables(
        b"def f%d(): ...\n".replace(b"%d", b"")
        + b"".join(b"def f%d(): ...\n" % n for n in range(MOST_CALLABLES)),
        "a.py",
    )
    assert (len(found), truncated) == (MOST_CALLABLES, True)
    many = "".join(
        f"class C{n}(NamedTuple):\n" + "".join(f"    a{m}: C{n + 1}\n" for m in range(30)) for n in range(9)
    )
    (one,) = [
        one for one in read(f"from typing import NamedTuple\n{many}\ndef f(a: C0): ...") if one.symbol == "f"
    ]
    assert len(msgspec.json.encode(one)) < 10_000_000


def test_types_that_refer_to_themselves_end() -> None:
    assert shape_of("'Loop'").kind == "unknown"
    found = only("Loop = list['Loop']\nclass N(NamedTuple):\n    n: 'N'\ndef f(a: Loop, b: N): ...")
    assert [one.type.kind for one in found.parameters or ()] == ["list", "named_tuple"]


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInputError):
        read_callables(text.encode(errors="surrogatepass"), "a.py")
