"""Turns what a command line or a JSON body says into what an annotation asks for.

By pydantic where the user's environment has it (Ray does), in its lax mode: text becomes numbers, dates,
paths and enum members. Text that does not fit as such is read as JSON, so that lists, mappings,
dataclasses and models can be typed on a command line.
"""

from __future__ import annotations

import inspect
import json
import typing

_PLAIN: dict[object, typing.Callable[[str], object]] = {int: int, float: float, str: str}
_BOOLS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
MAX_PROBLEMS = 20
_NO_JSON = {"json_invalid", "needs_python_object"}
"""Pydantic's words for text that is no JSON, and for types that no JSON makes."""


class ConversionError(ValueError):
    """A value does not fit. ``problems`` are endings of a sentence that begins with the parameter's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def convert(value: object, annotation: object) -> object:
    """Return a value as its annotation asks for it.

    A parameter annotated ``daft.DataFrame`` or ``daft.Catalog`` will be made from a data source or a
    catalog here, ahead of pydantic, which knows neither.

    Raises:
        ConversionError: it does not fit. The message holds no part of the value.
    """
    if annotation is typing.Any or annotation is object or isinstance(annotation, typing.TypeVar):
        return value
    if isinstance(value, str) and annotation is str:
        return value
    try:
        import pydantic
    except ImportError:
        return _convert_plainly(value, annotation)
    return _convert_by_pydantic(value, annotation, pydantic)


def _convert_by_pydantic(
    value: object, annotation: object, pydantic: typing.Any
) -> object:  # no stubs to rely on
    try:
        adapter = _adapter(annotation, pydantic)
    except pydantic.errors.PydanticUserError:
        # An annotation that pydantic refuses, such as `typing.TypedDict` before Python 3.12.
        return _convert_plainly(value, annotation)
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
    raise ConversionError(_problems(failed)) from None


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


def _convert_plainly(value: object, annotation: object) -> object:
    """Convert without pydantic: the plain types, and JSON for the rest, unchecked."""
    if not isinstance(value, str):
        return value
    if annotation is bool:
        if value.lower() in _BOOLS:
            return _BOOLS[value.lower()]
        raise ConversionError([": give true or false"])
    if annotation in _PLAIN:
        try:
            return _PLAIN[annotation](value)
        except ValueError:
            raise ConversionError([f": give a valid {inspect.formatannotation(annotation)}"]) from None
    try:
        return json.loads(value)
    except ValueError:
        return value
