"""Where two JSON values differ, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

Step = str | int
"""The name of a member, or the place of an element."""
_LONGEST = 200
_DEEPEST = 50


class JsonDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Where two values differ: as JSON, cut; nothing where one of them has nothing at that path."""

    path: tuple[Step, ...]
    here: str | None
    there: str | None

    @property
    def place(self) -> str:
        """The path as people read it: ``a.b[0]``, and ``(all of it)`` at the top."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            elif step.isidentifier():
                text += f".{step}" if text else step
            else:
                text += f"[{msgspec.json.encode(step).decode()}]"
        return text or "(all of it)"


class JsonCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Whether two values are equal, and where they are not: the first places, ``more`` if there are others.

    ``too_large`` is said of values that were compared as they were sent, and no further.
    """

    equal: bool
    differences: tuple[JsonDifference, ...] = ()
    more: bool = False
    too_large: bool = False


def compare_json(here: bytes, there: bytes, *, largest: int, most: int) -> JsonCompared:
    """Compare two texts of JSON. Of values of more than ``largest`` bytes only the texts are compared.

    Numbers are equal if they are written alike: 1 is not 1.0.
    """
    if here == there:
        return JsonCompared(equal=True)
    if max(len(here), len(there)) > largest:
        return JsonCompared(equal=False, too_large=True)
    try:
        values = msgspec.json.decode(here), msgspec.json.decode(there)
    except RecursionError:
        return JsonCompared(equal=False, too_large=True)
    found: list[JsonDifference] = []
    for difference in _walk(*values):
        if len(found) == most:
            return JsonCompared(equal=False, differences=tuple(found), more=True)
        found.append(difference)
    return JsonCompared(equal=not found, differences=tuple(found))


def _walk(here: object, there: object) -> Iterator[JsonDifference]:
    """Go through both values together, in order, without a call for each level: they may be deep."""
    waiting: list[tuple[tuple[Step, ...], Any, Any]] = [((), here, there)]  # any JSON, or `_MISSING`
    while waiting:
        path, one, other = waiting.pop()
        inside = _inside(one, other) if len(path) < _DEEPEST else None
        if inside is not None:
            waiting += [((*path, step), *both) for step, both in reversed(inside.items())]
        elif not _same(one, other):
            yield JsonDifference(path=path, here=_shown(one), there=_shown(other))


def _inside(here: Any, there: Any) -> dict[Step, tuple[Any, Any]] | None:  # any JSON
    """Return what is in both of two objects or arrays, by step; nothing for what is to be compared whole."""
    if isinstance(here, dict) and isinstance(there, dict):
        one, other = cast("dict[str, Any]", here), cast("dict[str, Any]", there)
        return {
            name: (one.get(name, _MISSING), other.get(name, _MISSING))
            for name in dict.fromkeys([*one, *other])
        }
    if isinstance(here, list) and isinstance(there, list):
        first, second = cast("list[Any]", here), cast("list[Any]", there)
        return {
            at: (
                first[at] if at < len(first) else _MISSING,
                second[at] if at < len(second) else _MISSING,
            )
            for at in range(max(len(first), len(second)))
        }
    return None


class _Missing:
    """What a value has at a path that it has not. JSON has no such thing, so it differs from everything."""


_MISSING = _Missing()


def _same(here: object, there: object) -> bool:
    if here is _MISSING or there is _MISSING:
        return here is there
    # By their text: to Python, true, 1 and 1.0 are equal.
    return _text(here) == _text(there)


def _shown(value: object) -> str | None:
    if value is _MISSING:
        return None
    text = _text(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
