"""Every kind of value that a run may return: what is kept comes back as it was, and the rest is told."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import daft
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pydantic
import pydantic.v1
import pytest

from daftray.domain.result import RunResult
from daftray.runner import results, tables

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


def made(value: Any) -> tuple[RunResult, bytes]:
    """Return a result as the server reads it, with its bytes."""
    result = results.make(value)
    with result.open() as data:
        content = data.read()
    result.discard()
    # As the runner's HTTP says it: strict JSON, which has no NaN and no half of a surrogate pair.
    told = json.dumps(result.fields, allow_nan=False, ensure_ascii=False).encode()
    return msgspec.json.decode(told, type=RunResult), content


def read_back(content: bytes) -> Any:
    return pq.read_table(io.BytesIO(content))


class Model(pydantic.BaseModel):
    n: int = 1
    price: decimal.Decimal = decimal.Decimal("1.10")


class OldModel(pydantic.v1.BaseModel):
    n: int = 1


class Struct(msgspec.Struct, tag="s"):
    n: int = 1
    inner: Any = None


@attrs.define
class Attrs:
    n: int = 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Model(), {"n": 1, "price": "1.10"}),
        (pydantic.RootModel[list[int]]([1]), [1]),
        (OldModel(), {"n": 1}),
        (
            Struct(inner=[Model(), np.arange(2)]),
            {"type": "s", "n": 1, "inner": [{"n": 1, "price": "1.10"}, [0, 1]]},
        ),
        ([Attrs()], [{"n": 1}]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        (10**30, 10**30),
        (np.datetime64("2026-01-31T12:00:00.000000001"), "2026-01-31T12:00:00.000000001"),
        (np.array(["2026-01-31"], dtype="datetime64[ns]"), ["2026-01-31T00:00:00.000000000"]),
        (np.array([["2026", "2027"]], dtype="datetime64[Y]"), [["2026", "2027"]]),
        (np.timedelta64(1500, "ms"), 1.5),
        (np.timedelta64(3, "M"), "3 months"),
        (np.array([2**64 - 1], dtype=np.uint64), [2**64 - 1]),
        (np.array(["ä", "b"]), ["ä", "b"]),
        (np.array([(1, "a")], dtype=[("x", "i4"), ("y", "U3")])[0], {"x": 1, "y": "a"}),
        (pd.Timestamp("2026-01-31 12:00:00.000000001"), "2026-01-31T12:00:00.000000001"),
        (pd.Timedelta(nanoseconds=5), 5e-9),
    ],
    ids=repr,
)
def test_what_json_can_say_arrives_without_a_note(value: Any, told: object) -> None:
    result, content = made(value)
    assert (result.kind, result.note, result.data, content) == ("json", None, False, b"")
    assert json.loads(bytes(result.value)) == told


@pytest.mark.parametrize(
    ("value", "told", "where"),
    [
        (pd.NaT, None, "result"),
        ([pd.NA, 1], [None, 1], "result[0]"),
        (np.datetime64("NaT", "s"), None, "result"),
        (np.array(["2026-01-31", "NaT"], dtype="datetime64[D]"), ["2026-01-31", None], "result[1]"),
        ({"a": [float("inf")]}, {"a": [None]}, "result.a[0]"),
        ({"\ud800": 1}, {"?": 1}, "result.?"),
        (np.array([1.0, np.nan]), [1.0, None], "result[1]"),
    ],
    ids=repr,
)
def test_what_json_lacks_is_null_and_told(value: Any, told: object, where: str) -> None:
    result, _ = made(value)
    assert json.loads(bytes(result.value)) == told
    assert result.note is not None
    assert result.note.startswith("1 value(s)")
    assert result.note.endswith(f": {where}")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(200_000, dtype=np.int64),
        np.array([1 + 2j]),
        np.array([(1, "a")], dtype=[("x", "i4"), ("y", "U3")]),
        np.array([b"raw"]),
        np.arange(300_000).reshape(3, -1).T,
    ],
    ids=["large", "complex", "structured", "bytes", "transposed"],
)
def test_arrays_beyond_json_are_files_of_numpys(array: Any) -> None:
    result, content = made(array)
    assert (result.kind, result.media_type, result.data) == ("artifact", "application/x-npy", True)
    assert str(array.dtype) in (result.note or "")
    back = np.load(io.BytesIO(content), allow_pickle=False)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


@pytest.mark.parametrize(
    "value",
    [b"ab", bytearray(b"ab"), memoryview(b"ab"), io.BytesIO(b"ab")],
    ids=lambda one: type(one).__name__,
)
def test_bytes_are_kept_as_they_are(value: Any) -> None:
    result, content = made(value)
    assert (result.kind, result.size, content) == ("artifact", 2, b"ab")


ARROW = pa.table({"n": pa.array([1, None], pa.int64())})
TABLES: dict[str, Callable[[], Any]] = {
    "daft": lambda: daft.from_arrow(ARROW),
    "daft series": lambda: daft.Series.from_pylist([1, None], name="n"),
    "arrow": lambda: ARROW,
    "arrow batch": lambda: ARROW.to_batches()[0],
    "arrow reader": lambda: pa.RecordBatchReader.from_batches(ARROW.schema, iter(ARROW.to_batches())),
    "polars": lambda: pl.DataFrame({"n": [1, None]}),
    "polars lazy": lambda: pl.LazyFrame({"n": [1, None]}),
    "polars series": lambda: pl.Series("n", [1, None]),
    "pandas": lambda: pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}),
    "pandas subclass": lambda: type("Frame", (pd.DataFrame,), {})({"n": pd.array([1, None], dtype="Int64")}),
    "pandas series": lambda: pd.Series([1, None], name="n", dtype="Int64"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_every_library_are_parquet_with_a_preview(kind: str) -> None:
    result, content = made(TABLES[kind]())
    assert (result.kind, result.rows, result.note) == ("table", 2, None)
    assert [column.name for column in result.columns or []] == ["n"]
    assert result.preview == [{"n": 1}, {"n": None}]
    assert read_back(content).to_pydict() == {"n": [1, None]}


def test_an_array_of_arrow_is_a_table_of_one_column() -> None:
    for array in (pa.array([1, 2]), pa.chunked_array([[1], [2]])):
        result, content = made(array)
        assert result.columns is not None
        assert [(one.name, one.type) for one in result.columns] == [("value", "int64")]
        assert read_back(content).to_pydict() == {"value": [1, 2]}


def test_columns_that_share_a_name_are_all_shown() -> None:
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "a (2)"])
    result, content = made(table)
    assert result.preview == [{"a": 1, "a (2)": 2, "a (2) (2)": 3}]
    assert [column.name for column in result.columns or []] == ["a", "a (2)", "a (2) (2)"]
    assert "shared a name" in (result.note or "")
    assert read_back(content).to_pydict() == {"a": [1], "a (2)": [2], "a (2) (2)": [3]}


def test_types_that_a_preview_cannot_show_are_told_in_it_and_kept_in_the_file() -> None:
    table = pa.table(
        {
            "ns": pa.array([1], pa.timestamp("ns", "UTC")),
            "raw": pa.array([b"ab"]),
            "deep": pa.array([[{"x": float("nan")}]]),
            "decimal": pa.array([decimal.Decimal("1.50")], pa.decimal256(50, 2)),
            "none": pa.nulls(1),
        }
    )
    result, content = made(table)
    (row,) = result.preview or []
    assert row == {
        "ns": "1970-01-01T00:00:00.000000001+00:00",
        "raw": "<2 bytes>",
        "deep": [{"x": None}],
        "decimal": "1.50",
        "none": None,
    }
    assert read_back(content)["ns"][0].value == 1


def test_a_collected_daft_frame_is_not_executed_again() -> None:
    calls: list[int] = []

    @daft.func
    def seen(n: int) -> int:
        calls.append(n)
        return n

    frame = daft.from_pydict({"n": [1, 2, 3]})
    collected = frame.with_column("m", seen(frame["n"])).collect()
    assert sorted(calls) == [1, 2, 3]
    result, content = made(collected)
    assert sorted(calls) == [1, 2, 3]
    assert result.rows == read_back(content).num_rows == 3


def test_a_lazy_polars_frame_is_executed_once_and_what_it_raises_is_the_users() -> None:
    calls: list[int] = []

    def seen(frame: pl.DataFrame) -> pl.DataFrame:
        calls.append(len(frame))
        return frame

    result, _ = made(pl.LazyFrame({"n": [1, 2]}).map_batches(seen))
    assert (result.rows, calls) == (2, [2])
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        results.make(pl.LazyFrame({"n": [1]}).select("gone"))


def test_what_a_reader_raises_is_the_users() -> None:
    def batches() -> Iterator[Any]:
        yield from ARROW.to_batches()
        raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        results.make(pa.RecordBatchReader.from_batches(ARROW.schema, batches()))


class Opaque:
    pass


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "python objects in polars": (
        lambda: pl.DataFrame({"a": pl.Series([Opaque()], dtype=pl.Object)}),
        "Arrow cannot hold the Python objects of its column 'a'",
    ),
    "wide integers of polars": (
        lambda: pl.DataFrame({"a": pl.Series([2**100], dtype=pl.Int128)}),
        "Arrow cannot hold it: ArrowInvalid",
    ),
    "columns of pandas that share a name": (
        lambda: pd.DataFrame([[1, 2]], columns=pd.Index(["a", "a"])),
        "Duplicate column names found",
    ),
    "complex numbers of pandas": (lambda: pd.DataFrame({"a": [1j]}), "Arrow cannot hold it"),
    "a struct without fields": (
        lambda: pa.table({"a": pa.array([{}], pa.struct([]))}),
        "Parquet cannot hold it",
    ),
    "a grouped frame": (lambda: daft.from_arrow(ARROW).groupby("n"), "which is not JSON"),
    "long floats": (lambda: np.longdouble("1.5"), "result is of type numpy.longdouble, which is not JSON"),
    "bytes inside": (lambda: {"a": b"x"}, "result.a is of type bytes, which is not JSON"),
    "a frame inside": (lambda: {"a": pd.DataFrame()}, "result.a is of type pandas.DataFrame"),
    "objects in msgspec": (lambda: Struct(inner=Opaque()), "Opaque, which is not JSON"),
    "objects in numpy": (lambda: np.array([Opaque()]), "result[0] is of type"),
    "a generator": (lambda: (n for n in range(3)), "result is of type generator"),
    "a class": (lambda: Opaque, "result is of type type"),
    "a mask": (lambda: np.ma.masked_array(np.zeros(200_000), mask=True), "no place for the mask"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_kept_is_told_and_ends_no_run(what: str) -> None:
    make, why = REFUSED[what]
    result, content = made(make())
    assert (result.kind, result.data, content) == ("omitted", False, b"")
    assert result.note is not None
    assert "was not kept: " in result.note
    assert why in result.note


def test_a_full_disk_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables.Table, "write", full)
    result, _ = made(ARROW)
    assert (result.kind, result.note) == (
        "omitted",
        "The result (pyarrow.lib.Table) was not kept: storing it raised OSError",
    )
