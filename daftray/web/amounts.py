"""Amounts as people type them into a form: numbers, spans of time, sizes of memory."""

from __future__ import annotations

import math
import re

from daftray.domain.durations import read_duration, written
from daftray.domain.errors import InvalidInputError
from daftray.web.form_lines import refusal
from daftray.web.forms import Form

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_BINARY = {"ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4}
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([kmgt]?i?)b?", re.IGNORECASE)


def whole(form: Form, field: str) -> int | None:
    """Return the whole number in a field, if it has one. Raises `InvalidInputError` at the field."""
    text = form.get(field).strip().replace("_", "").replace(",", "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as exc:
        raise refusal(field, "give a whole number") from exc


def decimal(form: Form, field: str) -> float | None:
    """Return the number in a field, if it has one. Raises `InvalidInputError` at the field."""
    text = form.get(field).strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise refusal(field, "give a number")
    return number


def seconds(form: Form, field: str) -> float | None:
    """Return the seconds that a field's span of time has. Raises `InvalidInputError` at the field."""
    text = form.get(field).strip()
    if not text:
        return None
    try:
        return read_duration(field, text)
    except InvalidInputError as exc:
        raise refusal(field, "write 90s, 10m, 2h, 1d, 1h30m, or plain seconds") from exc


def size(form: Form, field: str) -> int | None:
    """Return the bytes that a field's size has, in powers of 1000 (GB) or 1024 (GiB).

    Raises:
        InvalidInputError: at the field.
    """
    text = form.get(field).strip()
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    unit = ({**_UNITS, **_BINARY}).get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise refusal(field, "give bytes, or a size such as 512 MiB or 8 GB")
    return int(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit


def seconds_text(value: float | None) -> str:
    """Return seconds as `seconds` reads them."""
    if value is None:
        return ""
    return written(value) if value == int(value) else f"{value:.9f}".rstrip("0").rstrip(".")


def number_text(value: float | None) -> str:
    """Return a number as a form has it."""
    return "" if value is None else str(int(value) if value == int(value) else value)


def size_text(value: int | None) -> str:
    """Return bytes in the largest unit of 1024 that they are a whole number of."""
    if value is None:
        return ""
    for unit, factor in reversed(_BINARY.items()):
        if value and value % factor == 0:
            return f"{value // factor} {unit[0].upper()}iB"
    return str(value)
