"""Makes a ``RunResult`` (``daftray/domain/result.py``): JSON, a table, an artifact, or why there is none."""

from __future__ import annotations

import io
import os
import tempfile
from typing import Any, BinaryIO

from daftray.runner import arrays
from daftray.runner.jsonable import Encoder, NotJsonError
from daftray.runner.table_kinds import executed, table_of
from daftray.runner.tables import LARGEST_DATA, NotKeptError, Table

PARQUET = "application/vnd.apache.parquet"
BYTES = "application/octet-stream"


class Result:
    """A result as it is reported (``fields``), and its bytes where it has any, in memory or in a file."""

    def __init__(self, what: str, fields: dict[str, object], *, data: bytes | str | None = None) -> None:
        self.what = what
        self.fields = fields
        self._data = data
        if data is not None:
            self.size = len(data) if isinstance(data, bytes) else os.path.getsize(data)
            fields |= {"size": self.size, "data": True}

    @property
    def has_data(self) -> bool:
        """Whether there are bytes to store."""
        return self._data is not None

    def open(self) -> BinaryIO:
        """Return the bytes, from their start."""
        if isinstance(self._data, str):
            return open(self._data, "rb")
        return io.BytesIO(self._data or b"")

    def omit(self, why: str) -> None:
        """Give up on the bytes."""
        self.discard()
        self.fields = {"kind": "omitted", "note": why}

    def discard(self) -> None:
        """Remove the file that holds the bytes."""
        if isinstance(self._data, str):
            os.unlink(self._data)
        self._data = None


def make(value: Any) -> Result:
    """Return a value as a result. What a lazy DataFrame raises when it is executed passes through."""
    what = f"The result ({type(value).__module__}.{type(value).__qualname__})".replace("builtins.", "")
    value = executed(value)
    try:
        table = table_of(value)
        if table is not None:
            return _of_table(table, what)
        if arrays.is_array(value):
            fields: dict[str, object] = {"kind": "artifact", "media_type": arrays.NPY}
            fields["note"] = arrays.told(value)
            return Result(what, fields, data=arrays.write(value))
        data = _bytes_of(value)
    except NotKeptError as error:
        return _omitted(what, str(error))
    except Exception as error:  # a library of the user's, or a disk that is full
        return _omitted(what, f"storing it raised {type(error).__name__}")
    return _of_json(value, what) if data is None else _of_bytes(data, what)


def _omitted(what: str, why: str) -> Result:
    return Result(what, {"kind": "omitted", "note": f"{what} was not kept: {why}"})


def _of_table(table: Table, what: str) -> Result:
    descriptor, path = tempfile.mkstemp(prefix="daftray-", suffix=".parquet")
    os.close(descriptor)
    try:
        table.write(path)
    except BaseException:
        os.unlink(path)
        raise
    fields: dict[str, object] = {
        "kind": "table",
        "media_type": PARQUET,
        "columns": table.columns,
        "rows": table.rows,
        "preview": table.preview,
        "note": table.note,
    }
    return Result(what, fields, data=path)


def _bytes_of(value: object) -> bytes | None:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, memoryview):
        return value.tobytes()
    return value.getvalue() if isinstance(value, io.BytesIO) else None


def _of_bytes(value: bytes, what: str) -> Result:
    if len(value) > LARGEST_DATA:
        return _omitted(what, f"it is larger than {LARGEST_DATA // 1024**2} MiB.")
    return Result(what, {"kind": "artifact", "media_type": BYTES}, data=value)


def _of_json(value: object, what: str) -> Result:
    encoder = Encoder()
    try:
        encoded = encoder.encode(value)
    except (NotJsonError, RecursionError) as error:
        return _omitted(what, str(error))
    except Exception as error:  # a property or a serializer of the user's
        return _omitted(what, f"making JSON of it raised {type(error).__name__}")
    return Result(what, {"kind": "json", "value": encoded, "note": encoder.note()})
