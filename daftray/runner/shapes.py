"""Looks at values that came from elsewhere as JSON."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard


def json_object(value: object) -> dict[str, Any] | None:
    """Return a value if it is a JSON object, else None."""
    return value if _is_object(value) else None


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:  # Any: that is what JSON is
    return isinstance(value, dict)


def json_array(value: object) -> list[Any] | None:
    """Return a value if it is a JSON array, else None."""
    return value if _is_array(value) else None


def _is_array(value: object) -> TypeGuard[list[Any]]:  # Any: the same
    return isinstance(value, list)
