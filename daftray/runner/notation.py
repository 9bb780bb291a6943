"""Text that stands for a list, a mapping or the like: JSON, Python's own notation, or commas."""

from __future__ import annotations

import json

LONGEST_PYTHON = 100_000
"""Characters. Python's own notation takes much memory to read."""
_OPENS = ("[", "{", "(")


def read(value: object, *, commas: bool = False) -> object:
    """Return what a text stands for; with ``commas``, what has no brackets is a list. Other values stay."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return json.loads(text) if text.startswith(_OPENS) or not commas else _apart(text)
    except (ValueError, RecursionError):
        return _python(text, value)


def _apart(text: str) -> object:
    return [part.strip() for part in text.split(",")] if text else []


def _python(text: str, value: str) -> object:
    import ast  # of no use to most programs

    if not text.startswith(_OPENS) or len(text) > LONGEST_PYTHON:
        return value
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
