"""A table as Parquet with a preview: Daft, pandas, polars and pyarrow, each by the library that the user has.

A Daft DataFrame is executed at most once: it is collected (which keeps its partitions in the cluster),
and what follows reads those. Batches are written as they come, so that a large table is never whole in
this process.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import sys
import typing

from daftray.runner.jsonable import Encoder, NotJsonError

PREVIEW_ROWS = 100
LARGEST_PREVIEW = 1024**2
"""Bytes, about, of all rows of a preview: what a page shows, and well below what a report may be."""
LARGEST_CELL = 2000
"""Characters of a text that a preview shows."""
LARGEST_DATA = 1024**3
"""Bytes of Parquet that a result may have."""


class NotKeptError(Exception):
    """A table that cannot be kept. The message says what and why."""


class Table:
    """Columns and rows, as batches of Arrow. ``columns`` are names and types in the library's own words."""

    def __init__(
        self, columns: list[dict[str, str]], schema: typing.Any, batches: typing.Iterable[typing.Any]
    ) -> None:
        self.columns = columns
        self._schema = schema
        self._batches = batches
        self._left = LARGEST_PREVIEW
        self.rows = 0
        self.preview: list[dict[str, object]] = []

    def write(self, path: str) -> int:
        """Write Parquet, count the rows and keep the first as a preview. Returns the file's bytes.

        Raises:
            NotKeptError: Parquet cannot hold it, or it is larger than a result may be.
        """
        pyarrow = sys.modules["pyarrow"]
        parquet: typing.Any = importlib.import_module("pyarrow.parquet")

        try:
            writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        except (pyarrow.ArrowException, ValueError) as error:
            raise NotKeptError(f"Parquet cannot hold it: {error}") from error
        with writer:
            for batch in self._batches:
                try:
                    writer.write_table(pyarrow.Table.from_batches([batch], self._schema))
                except (pyarrow.ArrowException, ValueError) as error:
                    raise NotKeptError(f"Parquet cannot hold it: {error}") from error
                self._look(batch)
                if os.path.getsize(path) > LARGEST_DATA:
                    raise NotKeptError(
                        f"it is larger than {LARGEST_DATA // 1024**2} MiB of Parquet. "
                        "Write it to storage of your own, and return where it is."
                    )
        return os.path.getsize(path)

    def _look(self, batch: typing.Any) -> None:
        self.rows += batch.num_rows
        # One by one: a hundred rows of images would be a gigabyte of Python's objects at once.
        for at in range(min(PREVIEW_ROWS - len(self.preview), batch.num_rows)):
            (cells,) = batch.slice(at, 1).to_pylist()
            row = {str(name): _cell(value) for name, value in cells.items()}
            self._left -= len(json.dumps(row))
            if self._left < 0:
                return
            self.preview.append(row)


def table_of(value: object) -> Table | None:
    """Return a value as a table, None where it is none.

    A lazy Daft DataFrame is executed here: what that raises is the user's.

    Raises:
        NotKeptError: it is a table that Arrow cannot hold.
    """
    library = type(value).__module__.partition(".")[0]
    maker = _MAKERS.get((library, type(value).__name__))
    if maker is None:
        return None
    try:
        importlib.import_module("pyarrow")  # the user's environment may have none
    except ImportError:
        raise NotKeptError(
            "keeping a table takes pyarrow, which the run's environment does not have"
        ) from None
    return maker(value)


def _of_daft(frame: typing.Any) -> Table:
    frame.collect()
    columns = [{"name": field.name, "type": str(field.dtype)} for field in frame.schema()]
    schema = frame.schema().to_pyarrow_schema()
    return Table(columns, schema, (batch.cast(schema) for batch in frame.to_arrow_iter()))


def _of_arrow(table: typing.Any) -> Table:
    columns = [{"name": field.name, "type": str(field.type)} for field in table.schema]
    return Table(columns, table.schema, table.to_batches())


def _of_batch(batch: typing.Any) -> Table:
    return _of_arrow(sys.modules["pyarrow"].Table.from_batches([batch]))


def _of_pandas(frame: typing.Any) -> Table:
    pyarrow = sys.modules["pyarrow"]
    try:
        table = pyarrow.Table.from_pandas(frame)
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        raise NotKeptError(f"Arrow cannot hold it: {type(error).__name__}") from error
    made = _of_arrow(table)
    types = {str(name): str(kind) for name, kind in frame.dtypes.items()}
    made.columns = [
        {"name": each["name"], "type": types.get(each["name"], each["type"])} for each in made.columns
    ]
    return made


def _of_polars(frame: typing.Any) -> Table:
    made = _of_arrow(frame.to_arrow())
    made.columns = [{"name": name, "type": str(kind)} for name, kind in frame.schema.items()]
    return made


_MAKERS: dict[tuple[str, str], typing.Callable[[typing.Any], Table]] = {
    ("daft", "DataFrame"): _of_daft,
    ("pyarrow", "Table"): _of_arrow,
    ("pyarrow", "RecordBatch"): _of_batch,
    ("pandas", "DataFrame"): _of_pandas,
    ("polars", "DataFrame"): _of_polars,
}


def _cell(value: object) -> object:
    """Return a cell for people to look at: the Parquet file holds the value itself."""
    if isinstance(value, str):
        return value if len(value) <= LARGEST_CELL else value[:LARGEST_CELL] + "…"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, dt.timedelta):
        return str(value)
    try:
        return Encoder(limit=LARGEST_CELL * 4).encode(value)
    except NotJsonError:
        text = repr(value)
        return text if len(text) <= LARGEST_CELL else text[:LARGEST_CELL] + "…"
