"""Arrays of numpy: small ones of plain numbers and texts are JSON, others a file that numpy reads back."""

from __future__ import annotations

import os
import sys
import tempfile
import typing

from daftray.runner.tables import LARGEST_DATA, NotKeptError, first_line

NPY = "application/x-npy"
_LARGEST_JSON = 1024**2
_JSON_KINDS = "biufUOMm"
"""numpy's letters for what the JSON of it says: bools, numbers, texts, objects (one by one), times."""
_DOUBLE = 8


def is_array(value: object) -> bool:
    """Whether a value is an array of numpy that does not go well as JSON."""
    if not _is_ndarray(value):
        return False
    array: typing.Any = value
    exact = array.dtype.kind in _JSON_KINDS and (array.dtype.kind != "f" or array.dtype.itemsize <= _DOUBLE)
    return array.dtype.kind != "O" and not (exact and array.nbytes <= _LARGEST_JSON)


def write(array: typing.Any) -> str:
    """Write an array to a temporary file in numpy's own format; return the file's path.

    Raises:
        NotKeptError: it is too large, or such a file cannot hold it.
    """
    numpy = sys.modules["numpy"]
    if isinstance(array, numpy.ma.MaskedArray):
        raise NotKeptError("a file of numpy's has no place for the mask of an array")
    if array.nbytes > LARGEST_DATA:
        raise NotKeptError(f"it is larger than {LARGEST_DATA // 1024**2} MiB")
    descriptor, path = tempfile.mkstemp(prefix="daftray-", suffix=".npy")
    try:
        with os.fdopen(descriptor, "wb") as file:
            numpy.save(file, array, allow_pickle=False)
    except BaseException as error:
        os.unlink(path)
        if isinstance(error, Exception):
            raise NotKeptError(f"it could not be written: {first_line(error)}") from error
        raise
    return path


def told(array: typing.Any) -> str:
    """Return what an array is, for people."""
    shape = " x ".join(map(str, array.shape)) or "no dimension"
    return f"An array of numpy: {array.dtype}, {shape}"


def _is_ndarray(value: object) -> bool:
    return any(
        base.__name__ == "ndarray" and base.__module__.partition(".")[0] == "numpy"
        for base in type(value).__mro__
    )
