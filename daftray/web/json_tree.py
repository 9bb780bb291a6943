"""A JSON result as a tree to open and close, where it is not too much for a page."""

from __future__ import annotations

from typing import Any, cast

import msgspec

LARGEST_SHOWN = 256 * 1024
"""Bytes of JSON that a page shows."""
_MOST_NODES = 5000
_DEEPEST = 50


class JsonShown(msgspec.Struct, frozen=True, kw_only=True):
    """JSON as a page shows it: as a tree, else as text, else not at all (``size`` says why)."""

    size: int
    tree: Any = None  # any JSON
    branched: bool = False
    text: str | None = None


def tree_of(raw: bytes) -> JsonShown:
    """Return how a page shows some JSON."""
    if len(raw) > LARGEST_SHOWN:
        return JsonShown(size=len(raw))
    value = msgspec.json.decode(raw)
    if isinstance(value, dict | list) and _fits(value):
        return JsonShown(size=len(raw), tree=value, branched=True)
    return JsonShown(size=len(raw), text=msgspec.json.format(raw, indent=2).decode())


def _fits(value: Any) -> bool:
    level: list[Any] = [value]
    nodes = 0
    for _ in range(_DEEPEST):
        nodes += len(level)
        if nodes > _MOST_NODES:
            return False
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return True
    return False


def _inside(value: Any) -> list[Any]:  # any JSON
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []
