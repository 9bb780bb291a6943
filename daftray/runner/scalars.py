"""Text as one value of Python's own types: numbers, times, paths and the like."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import pathlib
import re
import typing
import uuid

from daftray.runner.misfits import ConversionError

_BOOLS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}
_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_CLOCK = re.compile(
    r"(?P<sign>[+-])?(?:(?P<days>\d+)(?: days?,? |d))?"
    r"(?P<hours>\d+):(?P<minutes>\d\d)(?::(?P<seconds>\d\d(?:\.\d+)?))?"
)


def convert(value: object, kind: typing.Any) -> tuple[bool, object]:  # Any: whatever class it is
    """Return whether a class is one of these types, and the value as that type has it.

    Raises:
        ConversionError: it does not fit.
    """
    if issubclass(kind, pathlib.PurePath) or kind is os.PathLike:
        return True, _path(value, pathlib.Path if kind is os.PathLike else kind)
    found = _KINDS.get(kind)
    if found is None:
        return False, None
    says, make = found
    if type(value) is kind:
        return True, value
    try:
        return True, make(value)
    except (ValueError, TypeError, OverflowError, decimal.InvalidOperation):
        raise ConversionError([f": give {says}"]) from None


def _path(value: object, kind: typing.Any) -> object:  # Any: a class of paths
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        return kind(value)
    raise ConversionError([": give a path"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.strip()


def _str(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    raise TypeError


def _int(value: object) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float) and int(value) == value:
        return int(value)
    text = _text(value)
    if not text.isascii():  # digits of other scripts are more likely a mistake
        raise ValueError
    return int(text)


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float(_text(value))


def _bool(value: object) -> bool:
    if isinstance(value, int | float) and value in {0, 1}:
        return bool(value)
    if (word := _text(value).lower()) not in _BOOLS:
        raise ValueError
    return _BOOLS[word]


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    raise TypeError


def _decimal(value: object) -> decimal.Decimal:
    return decimal.Decimal(str(value) if isinstance(value, int | float) else _text(value))


def _date(value: object) -> dt.date:
    return dt.date.fromisoformat(_text(value))


def _datetime(value: object) -> dt.datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return dt.datetime.fromtimestamp(value, dt.UTC)
    return dt.datetime.fromisoformat(_text(value))


def _time(value: object) -> dt.time:
    return dt.time.fromisoformat(_text(value))


def _timedelta(value: object) -> dt.timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return dt.timedelta(seconds=value)
    text = _text(value)
    found = _CLOCK.fullmatch(text) or (_DURATION.fullmatch(text) if any(map(str.isdigit, text)) else None)
    if found is None:
        return dt.timedelta(seconds=float(text))
    given = {name: float(part) for name, part in found.groupdict().items() if part and name != "sign"}
    length = dt.timedelta(**given)
    return -length if found["sign"] == "-" else length


_KINDS: dict[type, tuple[str, typing.Callable[[object], object]]] = {
    str: ("text", _str),
    int: ("a whole number", _int),
    float: ("a number", _float),
    bool: ("true or false", _bool),
    complex: ("a number such as 1+2j", lambda value: complex(_text(value))),
    bytes: ("text", _bytes),
    bytearray: ("text", lambda value: bytearray(_bytes(value))),
    decimal.Decimal: ("a decimal number", _decimal),
    uuid.UUID: ("a UUID", lambda value: uuid.UUID(_text(value))),
    dt.datetime: ("a time such as 2026-01-31T10:30:00Z", _datetime),
    dt.date: ("a date such as 2026-01-31", _date),
    dt.time: ("a time of the day such as 10:30", _time),
    dt.timedelta: ("a length of time in seconds, or such as PT1H30M or 1:30:00", _timedelta),
}
