"""Which values are tables, by the library that the user has: Daft, pandas, polars and pyarrow.

What is lazy is executed once (`executed`): a Daft DataFrame is collected, which keeps its partitions in the
cluster, and what follows reads those.
"""

from __future__ import annotations

import importlib
import sys
import typing

from daftray.runner.tables import NotKeptError, Table, first_line


def executed(value: typing.Any) -> object:
    """Return a value of which nothing is left to compute. What is raised on the way is the user's."""
    kinds = _kinds(value)
    if ("daft", "DataFrame") in kinds:
        value.collect()  # in place, and at most once
    elif ("polars", "LazyFrame") in kinds:
        return value.collect()
    elif ("pyarrow", "RecordBatchReader") in kinds:
        return value.read_all()
    return value


def table_of(value: object) -> Table | None:
    """Return a value as a table, None where it is none.

    Raises:
        NotKeptError: it is a table that Arrow cannot hold.
    """
    maker = next((_MAKERS[kind] for kind in _kinds(value) if kind in _MAKERS), None)
    if maker is None:
        return None
    try:
        importlib.import_module("pyarrow")  # the user's environment may have none
    except ImportError:
        raise NotKeptError(
            "keeping a table takes pyarrow, which the run's environment does not have"
        ) from None
    try:
        return maker(value)
    except NotKeptError:
        raise
    except Exception as error:
        raise NotKeptError(f"Arrow cannot hold it: {first_line(error)}") from error


def _kinds(value: object) -> list[tuple[str, str]]:
    """Return library and name of a value's class and of those that it is made of."""
    return [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(value).__mro__]


def _of_daft(frame: typing.Any) -> Table:
    columns = [{"name": field.name, "type": str(field.dtype)} for field in frame.schema()]
    schema = frame.schema().to_pyarrow_schema()
    return Table(columns, schema, (batch.cast(schema) for batch in frame.to_arrow_iter()))


def _of_daft_series(series: typing.Any) -> Table:
    return _of_array(series.to_arrow(), series.name(), kind=str(series.datatype()))


def _of_arrow(table: typing.Any) -> Table:
    columns = [{"name": field.name, "type": str(field.type)} for field in table.schema]
    return Table(columns, table.schema, table.to_batches())


def _of_batch(batch: typing.Any) -> Table:
    return _of_arrow(sys.modules["pyarrow"].Table.from_batches([batch]))


def _of_array(array: typing.Any, name: str = "value", *, kind: str | None = None) -> Table:
    pyarrow = sys.modules["pyarrow"]
    table = pyarrow.table({name: array})
    columns = [{"name": name, "type": kind or str(array.type)}]
    return Table(columns, table.schema, table.to_batches())


def _of_pandas(frame: typing.Any) -> Table:
    table = sys.modules["pyarrow"].Table.from_pandas(frame)
    types = {str(name): str(kind) for name, kind in frame.dtypes.items()}
    columns = [{"name": field.name, "type": types.get(field.name, str(field.type))} for field in table.schema]
    return Table(columns, table.schema, table.to_batches())


def _of_pandas_series(series: typing.Any) -> Table:
    return _of_pandas(series.to_frame("value" if series.name is None else series.name))


def _of_polars(frame: typing.Any) -> Table:
    for name, kind in frame.schema.items():
        if "Object" in str(kind):
            # polars would hand its pointers over, which mean nothing in a file.
            raise NotKeptError(f"Arrow cannot hold the Python objects of its column {name[:80]!r}")
    table = frame.to_arrow()
    columns = [{"name": name, "type": str(kind)} for name, kind in frame.schema.items()]
    return Table(columns, table.schema, table.to_batches())


def _of_polars_series(series: typing.Any) -> Table:
    return _of_polars(series.to_frame(series.name or "value"))


_MAKERS: dict[tuple[str, str], typing.Callable[[typing.Any], Table]] = {
    ("daft", "DataFrame"): _of_daft,
    ("daft", "Series"): _of_daft_series,
    ("pyarrow", "Table"): _of_arrow,
    ("pyarrow", "RecordBatch"): _of_batch,
    ("pyarrow", "Array"): _of_array,
    ("pyarrow", "ChunkedArray"): _of_array,
    ("pandas", "DataFrame"): _of_pandas,
    ("pandas", "Series"): _of_pandas_series,
    ("polars", "DataFrame"): _of_polars,
    ("polars", "Series"): _of_polars_series,
}
