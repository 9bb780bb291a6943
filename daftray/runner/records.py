"""Mappings as records: dataclasses, named tuples, typed dictionaries, structs of msgspec, models."""

from __future__ import annotations

import collections.abc
import dataclasses
import sys
import typing

from daftray.runner.misfits import ConversionError, joined

Convert = typing.Callable[[object, object], object]


class _Fields(typing.NamedTuple):
    """A record's fields: types by name, and which have to be given."""

    types: dict[str, object]
    required: frozenset[str]


def is_record(kind: typing.Any) -> bool:  # Any: whatever class it is
    """Whether a class is one that is made from named fields."""
    return (
        dataclasses.is_dataclass(kind)
        or hasattr(kind, "__struct_fields__")
        or callable(getattr(kind, "model_validate", None))
        or typing.is_typeddict(kind)
        or is_named_tuple(kind)
    )


def convert(value: object, kind: typing.Any, each: Convert) -> object:  # Any: a class of any of these kinds
    """Return a record of a class; ``each`` converts its fields.

    Raises:
        ConversionError: a field is missing, unknown or does not fit; with all of them.
    """
    if isinstance(kind, type) and not typing.is_typeddict(kind) and isinstance(value, kind):
        return value
    if callable(getattr(kind, "model_validate", None)):
        return _model(value, kind)
    fields = _fields_of(kind)
    if is_named_tuple(kind) and isinstance(value, list | tuple):
        value = dict(zip(fields.types, typing.cast("list[object]", value), strict=False))
    if not isinstance(value, collections.abc.Mapping):
        raise ConversionError([f": give an object with the fields {', '.join(fields.types)}"])
    given = typing.cast("typing.Mapping[str, object]", value)
    problems = [f".{name}: field required" for name in fields.types if name in fields.required - given.keys()]
    problems += [f".{name}: there is no such field" for name in given if name not in fields.types]
    known = {name: one for name, one in given.items() if name in fields.types}
    try:
        converted = joined(
            (f".{name}", lambda name=name, one=one: each(one, fields.types[name]))
            for name, one in known.items()
        )
    except ConversionError as error:
        problems += error.problems
        converted = []
    if problems:
        raise ConversionError(problems)
    try:
        return kind(**dict(zip(known, converted, strict=True)))
    except (TypeError, ValueError) as error:  # what the class itself checks
        raise ConversionError([f": {type(error).__name__} while it was made"]) from None


def _model(value: object, kind: typing.Any) -> object:
    try:
        return kind.model_validate(value)
    except ValueError as error:
        told = getattr(error, "errors", None)
        if told is None:
            raise
        found: list[str] = []
        for each in told(include_url=False, include_input=False, include_context=False):
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"])
            found.append(f"{place}: {each['msg'][:1].lower()}{each['msg'][1:]}")
        raise ConversionError(found) from None


def _fields_of(kind: typing.Any) -> _Fields:
    types = _hints(kind)
    if typing.is_typeddict(kind):
        return _Fields(types, frozenset(kind.__required_keys__))
    if is_named_tuple(kind):
        named = {name: types.get(name, typing.Any) for name in kind._fields}
        return _Fields(named, frozenset(kind._fields) - kind._field_defaults.keys())
    if hasattr(kind, "__struct_fields__"):
        told = sys.modules["msgspec"].structs.fields(kind)
        named = {one.name: types.get(one.name, typing.Any) for one in told}
        return _Fields(named, frozenset(one.name for one in told if one.required))
    taken = [one for one in dataclasses.fields(kind) if one.init]
    required = frozenset(
        one.name
        for one in taken
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    )
    return _Fields({one.name: types.get(one.name, typing.Any) for one in taken}, required)


def _hints(kind: typing.Any) -> dict[str, object]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:  # a name that exists for a type checker alone
        raw = getattr(kind, "__annotations__", {})
        return {name: typing.Any if isinstance(one, str) else one for name, one in raw.items()}


def is_named_tuple(kind: typing.Any) -> bool:
    """Whether a class is a named tuple, whose fields may be given in order."""
    return isinstance(kind, type) and hasattr(kind, "_fields") and tuple in kind.__mro__
