"""A table as Parquet with a preview. Batches are written as they come: a large one is never all in memory."""

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
_LONGEST_REASON = 200


class NotKeptError(Exception):
    """A table that cannot be kept. The message says what and why."""


class Table:
    """Columns and rows, as batches of Arrow. ``columns`` are names and types in the library's own words."""

    def __init__(
        self, columns: list[dict[str, str]], schema: typing.Any, batches: typing.Iterable[typing.Any]
    ) -> None:
        self._names = _told_apart([column["name"] for column in columns])
        self.columns = [{**column, "name": name} for column, name in zip(columns, self._names, strict=True)]
        self._shared = [column["name"] for column in columns] != self._names
        # Few programs read a file with two columns of one name, pyarrow's own reader included.
        self.note = "Columns that shared a name are numbered." if self._shared else None
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
            schema = self._schema
            if self._shared:
                schema = schema.empty_table().rename_columns(self._names).schema
            writer = parquet.ParquetWriter(path, schema, compression="zstd")
        except (pyarrow.ArrowException, ValueError) as error:
            raise NotKeptError(f"Parquet cannot hold it: {first_line(error)}") from error
        with writer:
            for batch in self._each():
                try:
                    table = pyarrow.Table.from_batches([batch], self._schema)
                    writer.write_table(table.rename_columns(self._names) if self._shared else table)
                except (pyarrow.ArrowException, ValueError) as error:
                    raise NotKeptError(f"Parquet cannot hold it: {first_line(error)}") from error
                self._look(batch)
                if os.path.getsize(path) > LARGEST_DATA:
                    raise NotKeptError(
                        f"it is larger than {LARGEST_DATA // 1024**2} MiB of Parquet. "
                        "Write it to storage of your own, and return where it is."
                    )
        return os.path.getsize(path)

    def _each(self) -> typing.Iterator[typing.Any]:
        """Yield the batches. They have been computed: what goes wrong now is no matter of the user's."""
        batches = iter(self._batches)
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except Exception as error:
                raise NotKeptError(f"it cannot be read as Arrow: {first_line(error)}") from error
            yield batch

    def _look(self, batch: typing.Any) -> None:
        self.rows += batch.num_rows
        # One by one: a hundred rows of images would be a gigabyte of Python's objects at once.
        for at in range(min(PREVIEW_ROWS - len(self.preview), batch.num_rows)):
            columns = zip(self._names, batch.slice(at, 1).columns, strict=True)
            row = {name: _cell(_plain(column[0])) for name, column in columns}
            self._left -= len(json.dumps(row))
            if self._left < 0:
                return
            self.preview.append(row)


def first_line(error: BaseException) -> str:
    """Return what an error of a library says, short enough for a note."""
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text[:_LONGEST_REASON]}" if text else type(error).__name__


def _told_apart(names: list[str]) -> list[str]:
    """Return names with a number behind those that came before."""
    found: list[str] = []
    for name in names:
        unique, number = name, 2
        while unique in found:
            unique, number = f"{name} ({number})", number + 1
        found.append(unique)
    return found


def _plain(scalar: typing.Any) -> object:
    """Return a cell as Python's own, or as text: without pandas, Python has no nanoseconds."""
    try:
        return scalar.as_py()
    except Exception:
        return str(scalar)


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
