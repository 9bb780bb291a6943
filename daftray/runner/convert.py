"""Turns what a command line or a JSON body says into what an annotation asks for.

By pydantic where the user's environment has it (Ray does), in its lax mode: text becomes numbers, dates,
paths and enum members. Text that does not fit as such is read as JSON, so that lists, mappings,
dataclasses and models can be typed on a command line. What pydantic does not take, or where it is not there,
is converted by `plain`.
"""

from __future__ import annotations

import typing

from daftray.runner import plain
from daftray.runner.misfits import MAX_PROBLEMS, ConversionError

__all__ = ["ConversionError", "convert"]

_NO_JSON = {"json_invalid", "needs_python_object"}
"""Pydantic's words for text that is no JSON, and for types that no JSON makes."""


def convert(value: object, annotation: object) -> object:
    """Return a value as its annotation asks for it.

    Raises:
        ConversionError: it does not fit. The message holds no part of the value.
    """
    if isinstance(annotation, typing.TypeVar):
        annotation = plain.unwrapped(annotation)  # pydantic takes anything for one
    if annotation is typing.Any or annotation is object:
        return value
    if isinstance(value, str) and annotation is str:
        return value
    try:
        import pydantic
    except ImportError:
        return plain.convert(value, annotation)
    try:
        return _convert_by_pydantic(value, annotation, pydantic)
    except _Misfit as failed:
        return _convert_after(failed, value, annotation)


class _Misfit(ConversionError):  # noqa: N818 (it never leaves this module)
    """What pydantic found. ``foreign`` tells that it met a class that it knows nothing of."""

    def __init__(self, problems: list[str], *, foreign: bool) -> None:
        super().__init__(problems)
        self.foreign = foreign


def _convert_after(failed: _Misfit, value: object, annotation: object) -> object:
    """Convert what pydantic did not take; of two failures, tell that of the one that knows the type."""
    import pydantic

    try:
        converted = plain.convert(value, annotation)
    except ConversionError as error:
        raise ConversionError(error.problems if failed.foreign else failed.problems) from None
    try:  # for the conditions that only pydantic reads
        return _adapter(annotation, pydantic).validate_python(converted)
    except pydantic.ValidationError as error:
        raise ConversionError(_problems(error)) from None


def _convert_by_pydantic(
    value: object, annotation: object, pydantic: typing.Any
) -> object:  # no stubs to rely on
    try:
        adapter = _adapter(annotation, pydantic)
    except pydantic.errors.PydanticUserError:
        # An annotation that pydantic refuses, such as `typing.TypedDict` before Python 3.12.
        return plain.convert(value, annotation)
    try:
        return adapter.validate_python(value)
    except pydantic.ValidationError as error:
        failed = error
    if isinstance(value, str):
        try:
            return adapter.validate_json(value)
        except pydantic.ValidationError as error:
            # Of the two failures, the one that got further: of a JSON text that does not fit, if it is one.
            kinds = {each["type"] for each in error.errors(include_url=False, include_input=False)}
            if value.lstrip()[:1] in {"[", "{"} and not kinds & _NO_JSON:
                failed = error
    kinds = {each["type"] for each in failed.errors(include_url=False, include_input=False)}
    raise _Misfit(_problems(failed), foreign="is_instance_of" in kinds) from None


def _adapter(annotation: object, pydantic: typing.Any) -> typing.Any:
    try:
        return pydantic.TypeAdapter(annotation)
    except pydantic.errors.PydanticSchemaGenerationError:
        # A class that pydantic knows nothing of: only its own objects fit.
        return pydantic.TypeAdapter(annotation, config={"arbitrary_types_allowed": True})


def _problems(error: typing.Any) -> list[str]:
    found: list[str] = []
    for each in error.errors(include_url=False, include_input=False, include_context=False)[:MAX_PROBLEMS]:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"])
        message = each["msg"]
        found.append(f"{path}: {message[:1].lower()}{message[1:]}")
    return found
