"""Values of numpy and pandas on their way to JSON, by the names of their types: neither is imported here."""

from __future__ import annotations

import typing

_TIMES = "Mm"
"""numpy's letters for moments and for lengths of time."""
_MISSING = frozenset({"NaTType", "NAType"})
_DOUBLE = 8


def is_missing(value: object) -> bool:
    """Whether a value is what numpy or pandas have in place of one that is not there."""
    library = type(value).__module__.partition(".")[0]
    if library == "pandas":
        return type(value).__name__ in _MISSING
    if library != "numpy":
        return False
    scalar: typing.Any = value
    return _kind(scalar) in _TIMES and scalar.shape == () and str(scalar) == "NaT"


def is_numpy(value: object) -> bool:
    """Whether a value is an array or a scalar of numpy."""
    return type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "dtype")


def simplify(value: typing.Any) -> object:
    """Return a value of numpy one step nearer to JSON, or itself where there is no such step.

    What Python's own types would cut short is taken apart here: nanoseconds, names of fields, long floats.
    """
    kind = _kind(value)
    if kind in _TIMES:
        return _time(value, kind) if value.shape == () else list(value)
    if kind == "V" and value.dtype.names and value.shape == ():
        return {name: value[name] for name in value.dtype.names}
    if kind == "V" or (kind in "fc" and value.dtype.itemsize > _DOUBLE * (1 + (kind == "c"))):
        return value if value.shape == () else list(value)
    return value.tolist()


def _time(value: typing.Any, kind: str) -> object:
    if kind == "M":
        return str(value)
    try:
        seconds = value / value.dtype.type(1, "s")
    except TypeError:  # months and years have no length in seconds
        return str(value)
    return float(seconds)


def _kind(value: typing.Any) -> str:
    kind: str = value.dtype.kind if hasattr(value, "dtype") else ""
    return kind or "?"
