"""What is wrong with values that do not fit their annotations: all of it, and no part of the values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

MAX_PROBLEMS = 20


class ConversionError(ValueError):
    """A value does not fit. ``problems`` are endings of a sentence that begins with the parameter's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def joined(parts: Iterable[tuple[str, Callable[[], object]]]) -> list[Any]:  # Any: of every type
    """Return what the parts of a value become; each has its place in it, and a function that converts it.

    Raises:
        ConversionError: with what is wrong with any of them, at its place.
    """
    found: list[object] = []
    problems: list[str] = []
    for place, part in parts:
        try:
            found.append(part())
        except ConversionError as error:
            problems += [f"{place}{problem}" for problem in error.problems]
    if problems:
        raise ConversionError(problems[:MAX_PROBLEMS])
    return found
