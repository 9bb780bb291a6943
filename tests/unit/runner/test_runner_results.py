"""What a function returns, and what arrives of it."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Generator
from typing import Any

import daft
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daftray.runner import results, tables


@pytest.fixture(autouse=True)
def _native_daft() -> Generator[None]:
    with daft.context.execution_config_ctx():
        yield


def stored(result: results.Result) -> Any:
    """Return the Parquet that a result stores, as a table; and remove it."""
    with result.open() as data:
        content = data.read()
    assert len(content) == result.fields["size"]
    result.discard()
    return pq.read_table(io.BytesIO(content))


def test_a_lazy_daft_dataframe_runs_once() -> None:
    calls: list[int] = []

    @daft.func
    def seen(n: int) -> int:
        calls.append(n)
        return n * 2

    frame = daft.from_pydict({"n": [1, 2, 3], "text": ["a", None, "c"]})

    result = results.make(frame.with_column("double", seen(frame["n"])))

    assert sorted(calls) == [1, 2, 3]
    assert result.fields["kind"] == "table"
    assert result.fields["rows"] == 3
    assert result.fields["columns"] == [
        {"name": "n", "type": "Int64"},
        {"name": "text", "type": "String"},
        {"name": "double", "type": "Int64"},
    ]
    assert result.fields["preview"] == [
        {"n": 1, "text": "a", "double": 2},
        {"n": 2, "text": None, "double": 4},
        {"n": 3, "text": "c", "double": 6},
    ]
    assert stored(result).to_pydict() == {"n": [1, 2, 3], "text": ["a", None, "c"], "double": [2, 4, 6]}


def test_what_a_lazy_dataframe_raises_is_the_users() -> None:
    @daft.func.batch(return_dtype=daft.DataType.int64())
    def fail(_: daft.Series) -> daft.Series:
        raise ZeroDivisionError("theirs")

    frame = daft.from_pydict({"n": [1]})

    with pytest.raises(ZeroDivisionError, match="theirs"):
        results.make(frame.select(fail(frame["n"])))


def test_pandas_keeps_its_types_and_its_index() -> None:
    frame = pd.DataFrame({"n": [1, 2], "when": pd.to_datetime(["2026-01-31", None])}, index=["x", "y"])

    result = results.make(frame)

    columns: Any = result.fields["columns"]
    assert columns[0] == {"name": "n", "type": "int64"}
    assert columns[1]["type"].startswith("datetime64")
    assert result.fields["rows"] == 2
    assert stored(result).to_pandas().equals(frame)


def test_arrow_tables_and_batches_are_tables() -> None:
    table = pa.table({"n": pa.array([1, 2], pa.int8()), "raw": pa.array([b"ab", None])})

    result = results.make(table)

    assert result.fields["columns"] == [{"name": "n", "type": "int8"}, {"name": "raw", "type": "binary"}]
    assert result.fields["preview"] == [{"n": 1, "raw": "<2 bytes>"}, {"n": 2, "raw": None}]
    assert stored(result) == table
    assert results.make(table.to_batches()[0]).fields["rows"] == 2


def test_an_empty_table_is_a_table() -> None:
    result = results.make(pa.table({"n": pa.array([], pa.int64())}))

    assert (result.fields["kind"], result.fields["rows"], result.fields["preview"]) == ("table", 0, [])
    assert stored(result).num_rows == 0


def test_a_preview_is_the_first_rows_and_fits_on_a_page() -> None:
    table = pa.table(
        {
            "n": list(range(150)),
            "text": ["long " * 1000] * 150,
            "inner": [[{"x": float("nan"), "t": dt.timedelta(seconds=1)}]] * 150,
        }
    )

    result = results.make(table)

    preview: Any = result.fields["preview"]
    assert [row["n"] for row in preview] == list(range(100))
    assert len(preview[0]["text"]) == tables.LARGEST_CELL + 1
    assert preview[0]["inner"] == [{"x": None, "t": 1.0}]
    assert result.fields["rows"] == 150
    result.discard()


def test_a_preview_of_wide_rows_has_fewer() -> None:
    table = pa.table({f"column {number}": ["x" * 2000] * 100 for number in range(100)})

    result = results.make(table)

    preview: Any = result.fields["preview"]
    assert len(preview) == tables.LARGEST_PREVIEW // (2000 * 100)
    assert result.fields["rows"] == 100
    result.discard()


def test_a_table_that_is_too_large_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LARGEST_DATA", 10)

    result = results.make(pa.table({"n": [1, 2, 3]}))

    assert result.fields["kind"] == "omitted"
    assert "The result (pyarrow.lib.Table) was not kept: it is larger than" in str(result.fields["note"])


def test_a_table_that_arrow_cannot_hold_is_told() -> None:
    result = results.make(pd.DataFrame({"mixed": [1, "a", object()]}))

    assert result.fields["kind"] == "omitted"
    assert "was not kept: Arrow cannot hold it" in str(result.fields["note"])


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc")])
def test_bytes_are_an_artifact(value: bytes) -> None:
    result = results.make(value)

    assert result.fields == {
        "kind": "artifact",
        "media_type": "application/octet-stream",
        "size": 3,
        "data": True,
    }
    assert result.open().read() == b"abc"


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (object(), "The result (object) was not kept: result is of type object, which is not JSON"),
        ({"a": {1j}}, "The result (dict) was not kept: result.a[0] is of type complex, which is not JSON"),
        (
            ["x" * 1024**2] * 9,
            "The result (list) was not kept: it is larger than 8 MiB as JSON",
        ),
    ],
)
def test_what_cannot_be_kept_is_told(value: object, note: str) -> None:
    assert results.make(value).fields == {"kind": "omitted", "note": note}


def test_none_is_null() -> None:
    assert results.make(None).fields == {"kind": "json", "value": None, "note": None}


def test_a_value_that_raises_when_it_is_read_is_told() -> None:
    class Raises(dict[str, int]):
        def items(self) -> Any:
            raise ZeroDivisionError("no")

    assert results.make(Raises()).fields == {
        "kind": "omitted",
        "note": f"The result ({Raises.__module__}.{Raises.__qualname__}) was not kept: "
        "making JSON of it raised ZeroDivisionError",
    }
