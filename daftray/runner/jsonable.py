"""A value as JSON, with nothing silently replaced: what JSON cannot say is refused, or told in a note."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import math
import os
import sys
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping, MappingView
from typing import Any, cast

from daftray.runner import numeric

MAX_DEPTH = 100
LARGEST_JSON = 8 * 1024**2
_NAMED = 3


class NotJsonError(ValueError):
    """A value that JSON cannot say. The message says where it is and what it is."""


class Encoder:
    """Turns one value into what ``json.dumps`` takes. ``replaced`` are the places of what JSON lacks.

    Args:
        limit: bytes, about, after which it gives up: what is too large must not fill the memory first.
    """

    def __init__(self, limit: int = LARGEST_JSON) -> None:
        self._left = limit
        self._limit = limit
        self.replaced: list[str] = []

    def encode(self, value: object, path: str = "result", depth: int = 0) -> object:
        """Return a value of JSON's types.

        Raises:
            NotJsonError: part of it is not JSON, it refers to itself, or it is too large.
        """
        if value is None or type(value) in _EXACT:
            return self._scalar(value, path)
        if numeric.is_missing(value):
            self.replaced.append(path)
            return None
        if depth > MAX_DEPTH:
            raise NotJsonError(f"{path[:80]}… is nested deeper than {MAX_DEPTH} levels, or holds itself")
        plain = _simplify(value)
        if plain is not value:
            return self.encode(plain, path, depth + 1)
        if isinstance(value, dict):
            return self._mapping(cast("dict[object, object]", value), path, depth)
        if isinstance(value, list | tuple | set | frozenset):
            self._spend(2)
            members = _ordered(cast("Collection[object]", value))
            return [self.encode(each, f"{path}[{at}]", depth + 1) for at, each in enumerate(members)]
        raise NotJsonError(f"{path} is of type {_type_name(value)}, which is not JSON")

    def _scalar(self, value: object, path: str) -> object:
        self._spend(len(value) + 2 if isinstance(value, str) else 8)
        if isinstance(value, float) and not math.isfinite(value):
            self.replaced.append(path)
            return None
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: str) -> str:
        plain = text if text.isascii() else text.encode(errors="replace").decode()
        if plain != text:
            self.replaced.append(path.encode(errors="replace").decode())
        return plain

    def _mapping(self, value: dict[object, object], path: str, depth: int) -> dict[str, object]:
        encoded: dict[str, object] = {}
        for key, each in value.items():
            name = _key(key)
            if name is None:
                raise NotJsonError(f"{path} has a key of type {_type_name(key)}, which is not JSON")
            name = self._text(name, f"{path}.{name}")
            if name in encoded:
                raise NotJsonError(f"{path} has two keys that JSON cannot tell apart: {name[:80]!r}")
            self._spend(len(name) + 4)
            encoded[name] = self.encode(each, f"{path}.{name}", depth + 1)
        return encoded

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise NotJsonError(f"it is larger than {self._limit // 1024**2} MiB as JSON")

    def note(self) -> str | None:
        """Return what a reader must know about the encoded value."""
        if not self.replaced:
            return None
        some = ", ".join(self.replaced[:_NAMED]) + (", …" if len(self.replaced) > _NAMED else "")
        count = len(self.replaced)
        lacked = "value(s) that JSON lacks (NaN, infinite, missing, no Unicode) are null or have a ?"
        return f"{count} {lacked}: {some}"


_EXACT = frozenset({bool, int, float, str})
_SCALARS: tuple[tuple[type, Callable[[Any], object]], ...] = (  # Any: each takes its own kind
    (enum.Enum, lambda value: value.value),
    # By the value's own methods: those of pandas know nanoseconds.
    (dt.datetime, lambda value: value.isoformat()),
    (dt.timedelta, lambda value: value.total_seconds()),
    (dt.date, lambda value: value.isoformat()),
    (dt.time, lambda value: value.isoformat()),
    (decimal.Decimal, str),
    (uuid.UUID, str),
    (os.PathLike, os.fspath),
    (str, str.__str__),
    (int, int),
    (float, float),
    (deque, list),
    (range, list),
    (MappingView, list),
)


def _simplify(value: Any) -> object:  # Any: it is asked what it can do
    """Return a value one step nearer to JSON, or itself where there is no such step."""
    if isinstance(value, type):
        return value
    if numeric.is_numpy(value):
        return numeric.simplify(value)
    for kind, simpler in _SCALARS:
        if isinstance(value, kind):
            return simpler(value)
    return _fields(value)


def _fields(value: Any) -> object:
    """Return what a record holds: of a dataclass, a msgspec struct, a pydantic model, a mapping."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "__struct_fields__") and "msgspec" in sys.modules:
        return sys.modules["msgspec"].to_builtins(value, enc_hook=_inside_msgspec)
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump(mode="json")
    if hasattr(value, "__fields__") and callable(getattr(value, "dict", None)):
        return value.dict()  # a model of pydantic's first version
    return _members(value)


def _members(value: Any) -> object:
    if hasattr(value, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name) for field in value.__attrs_attrs__}
    if isinstance(value, Mapping) and not isinstance(value, dict):
        return dict(cast("Mapping[object, object]", value))
    return cast("object", value)


def _inside_msgspec(value: object) -> object:
    """Return a value that msgspec cannot say one step nearer to JSON."""
    plain = _simplify(value)
    if plain is value:
        raise NotJsonError(f"part of it is of type {_type_name(value)}, which is not JSON")
    return plain


def _ordered(values: Collection[object]) -> Collection[object]:
    """Return a set's members in an order, so that equal results look equal; other collections have theirs."""
    if not isinstance(values, set | frozenset):
        return values
    try:
        return sorted(values)  # type: ignore[type-var]
    except TypeError:
        return sorted(values, key=repr)


def _key(key: object) -> str | None:
    """Return a mapping's key as JSON has it, by the rules of the ``json`` module and of `_simplify`."""
    plain = key if type(key) in _EXACT else _simplify(key)
    if isinstance(plain, str):
        return plain
    if plain is None or isinstance(plain, bool):
        return {None: "null", True: "true", False: "false"}[plain]
    return str(plain) if isinstance(plain, int | float) else None


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
