"""Spans of time as people write them: ``90s``, ``10m``, ``2h``, ``1d``, ``1h30m``, or plain seconds."""

from __future__ import annotations

import re

from daftray.domain.errors import InputIssue, InvalidInputError

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PLAIN = re.compile(_NUMBER)
_PARTS = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _UNITS))


def read_duration(option: str, text: str) -> float:
    """Return the seconds that a text means; ``option`` is what it was given for.

    Raises:
        InvalidInputError: it is no span of time.
    """
    if _PLAIN.fullmatch(text):
        return float(text)
    found = _PARTS.fullmatch(text)
    if not text or found is None:
        message = f"{option} {text!r} is no span of time: write 90s, 10m, 2h, 1d, 1h30m, or plain seconds."
        raise InvalidInputError(message, issues=(InputIssue(path=option, message=message),))
    return sum(float(number) * _UNITS[unit] for unit, number in found.groupdict().items() if number)


def written(seconds: float) -> str:
    """Return seconds as people write them, the largest units first: ``1h30m``, ``0.5s``."""
    left, parts = seconds, ""
    for unit, size in _UNITS.items():
        if unit == "s":
            break
        count = int(left // size)
        left -= count * size
        parts += f"{count}{unit}" if count else ""
    return f"{parts}{left:g}s" if left or not parts else parts
