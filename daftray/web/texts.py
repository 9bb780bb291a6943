"""How pages write times, lengths, amounts and names. What is not known is a dash, never a zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

UNKNOWN = "\N{EN DASH}"
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86_400
_KIB, _TWO_DIGITS, _THREE_DIGITS = 1024, 10, 100
_JUST_NOW = timedelta(seconds=5)
_FEW_LINES, _LONGEST_SHOWN = 3, 600


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units: ``850 ms``, ``12.4 s``, ``3 min 20 s``."""
    if seconds is None:
        return UNKNOWN
    if seconds < _SECOND:
        return f"{max(0, seconds) * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{math.floor(seconds * 10) / 10:.1f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02} h"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a time is, in one unit: ``12 min ago``."""
    passed = now - at
    if passed < _JUST_NOW:
        return "just now"
    seconds = int(passed.total_seconds())
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def instant(at: datetime) -> str:
    """Return a time to the second, in UTC, as people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def iso(at: datetime) -> str:
    """Return a time as machines read it (RFC 3339)."""
    return at.isoformat().replace("+00:00", "Z")


def number(value: float | None) -> str:
    """Return an amount, its thousands grouped, with no more decimals than it needs."""
    if value is None:
        return UNKNOWN
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def short_number(value: float | None) -> str:
    """Return an amount in at most four digits: ``950``, ``12.3k``, ``4.56M``."""
    if value is None:
        return UNKNOWN
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if unit == "k" else size)
            return f"{scaled:.3g}{unit}"
    return number(round(value, 1))


def ratio(value: float) -> str:
    """Return how many times something is something else, to three digits: ``1.25``, ``0.0312``."""
    return f"{value:,.0f}" if value >= _THREE_DIGITS else f"{value:.3g}"


def dollars(value: float | None) -> str:
    """Return dollars: to the cent, or to two digits that count where it is less than one."""
    if value is None:
        return UNKNOWN
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.2g}"


def size(count: int | None) -> str:
    """Return bytes in units of 1024."""
    if count is None:
        return UNKNOWN
    scaled, units = float(count), ["B", "KiB", "MiB", "GiB"]
    while scaled >= _KIB and len(units) > 1:
        scaled, units = scaled / _KIB, units[1:]
    return (
        f"{scaled:.0f} {units[0]}" if scaled >= _TWO_DIGITS or units[0] == "B" else f"{scaled:.1f} {units[0]}"
    )


def short(commit: str | None) -> str:
    """Return the beginning of a commit, enough to know it by."""
    return commit[:9] if commit else UNKNOWN


def in_short(text: str) -> str:
    """Return what of a long text is worth a line: all of a short one, else its last line that says something.

    What fails inside Ray and Daft comes as a traceback in a traceback; the reason is what they end with.
    """
    lines = [line for line in text.splitlines() if line.strip(" ^~")]
    if len(lines) <= _FEW_LINES and len(text) <= _LONGEST_SHOWN:
        return text
    last = lines[-1].strip() if lines else ""
    return last if len(last) <= _LONGEST_SHOWN else f"{last[:_LONGEST_SHOWN]}…"


def tojson_text(value: object) -> str:
    """Return a value of a result as text: a string as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


FILTERS: dict[str, Callable[..., str]] = {
    "duration": duration,
    "ago": ago,
    "instant": instant,
    "iso": iso,
    "number": number,
    "short_number": short_number,
    "dollars": dollars,
    "ratio": ratio,
    "size": size,
    "short": short,
    "in_short": in_short,
    "tojson_text": tojson_text,
}
"""What templates call them."""
